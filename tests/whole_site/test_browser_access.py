"""Every page is accessible: WCAG 2.2 AA by axe-core, with text at 200 %, by keyboard, and by screen reader.

A real site in real Chromium. Every page is loaded once per visitor and then checked in each mode.
"""

from functools import partial

import httpx
import pytest
from django.urls import resolve
from playwright.sync_api import Route, expect

from tests.support import access, desk
from tests.support.access import EVERY, MODES, Looker, by_turns
from tests.support.browser import comes_true
from tests.support.every_page import VISITORS
from tests.support.mutants import mutant
from tests.support.pictured import PICTURES
from tests.support.pictures import address_of


@pytest.fixture(scope="module")
def shown(browser, site):
    """The running site with one of everything, and what it shows to each visitor."""
    shown = access.shown_by(site)
    shown["url"] = site.url
    shown["not-understood"] = httpx.get(site.url, headers={"Host": "elsewhere"}).text
    return shown


@pytest.fixture
def page_of(shown, visit):
    """Opens a page as one of the visitors."""
    visitors = {each["visitor"]: each for each in shown["shown"]}

    def one_more(visitor, **options):
        page = visit(base_url=shown["url"], **options)
        page.context.add_cookies(access.cookies(visitors[visitor], shown["url"]))
        return page

    return one_more


def test_everybody_is_looked_at(shown):
    assert [each["visitor"] for each in shown["shown"]] == list(VISITORS)
    assert sum(len(access.ours(each["new"])) for each in shown["shown"]) > 100


@pytest.mark.parametrize("visitor", VISITORS)
def test_no_page_has_a_fault(shown, page_of, request, visitor):
    """Each page in one language, and axe, which takes most of the time, in one look, by turns.

    `make access` has every page in every look.
    """
    every = request.config.getoption("--looks") == "every"
    [addresses] = [access.ours(each["new"]) for each in shown["shown"] if each["visitor"] == visitor]
    looker, faults = Looker(page_of(visitor, expected=["40"])), []
    for address in addresses:
        faults += looker.faults_in_looks(address, EVERY if every else by_turns(visitor, address))
    assert "\n".join(faults) == ""


# --- states that have no address of their own -----------------------------------------------------

TWO = (MODES[1], MODES[2])  # both at a phone's width: dark, and with text at 200 %
PLANTED = """<!doctype html><html><head><title></title></head><body><main>
<h1>One</h1><h1>Two</h1><img src="data:,"><p style="color: #999; background: #fff">hardly there</p>
<button style="all: unset; width: 9px; height: 9px">x</button>
<button style="all: unset; width: 9px">y</button>
<p style="height: 20px; overflow: hidden">cut</p>
<div style="width: 3000px">wide</div><audio autoplay></audio></main></body></html>"""


def test_planted_faults_are_found(visit):
    page = visit()
    page.set_content(PLANTED)
    found = "\n".join(Looker(page).faults(MODES[0]))
    for fault in ("html-has-lang", "document-title", "image-alt", "color-contrast", "target-size"):
        assert f"{fault}:" in found
    for fault in ("2 headings", "no language", "no title", "too small: 9x9", "too wide", "sounds by itself"):
        assert fault in found
    assert "cut when spaced: <p" in found


# It shows a refusal to these visitors, of which there is a picture.
NOT_PICTURED = {"account_reauthenticate"}
SOUNDS = {"review_near_audio"}  # linked only where two clips of a speaker happen to follow each other


def test_there_is_a_picture_of_every_page(shown):
    visitors = {each["visitor"]: each for each in shown["shown"]}
    pictured = {address_of(each, visitors[each.visitor]) for each in PICTURES}
    addresses = {address for each in visitors.values() for address in access.ours(each["addresses"])}
    names = {resolve(address).url_name for address in pictured & addresses}
    found = {resolve(address).url_name for address in addresses - pictured}
    assert found - names - SOUNDS == NOT_PICTURED


def test_error_pages_have_no_fault(shown, page_of):
    page = page_of("contributor", expected=["40"])
    for name in ("broken", "not-understood", "too-often"):
        page.route(f"**/{name}/", partial(Route.fulfill, body=shown[name], content_type="text/html"))
    looker, faults = Looker(page), []
    for address, heading in (
        ("/nothing/", "There is nothing here"),
        ("/review/", "You do not have access to this page"),
        ("/not-understood/", "We could not understand this request"),
        ("/too-often/", "Please wait a little"),
        ("/broken/", "Something went wrong on our side"),
    ):
        page.goto(address)
        expect(page.get_by_role("heading", level=1)).to_have_text(heading)
        faults += looker.faults_in_all(TWO)
    page.goto("/leave/")
    page.evaluate("document.querySelector('main [name=csrfmiddlewaretoken]').value = 'none'")
    page.locator("main form [type=radio]").first.check()
    page.locator("main form button.final").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Please send that again")
    assert "\n".join(faults + looker.faults_in_all(TWO)) == ""


FORMS = (
    ("stranger", "/accounts/login/", {"login": "nobody", "password": "wrong"}),
    ("stranger", "/accounts/signup/", {"username": "ann", "password1": "1234"}),
    ("stranger", "/receipts/", {"receipt": "{}"}),
    ("newcomer", "/first-minute/", {}),
    ("contributor", "/leave/", {}),
    ("contributor", "/profile/devices/", {"code": "NOCODE"}),
    ("contributor", "/accounts/password/set/", {"password1": "1234", "password2": "4321"}),
)


def test_refused_forms_have_no_fault(page_of):
    faults = []
    for visitor, address, fields in FORMS:
        page = page_of(visitor, expected=["400"])
        page.goto(address)
        for name, value in fields.items():
            page.locator(f"main [name={name}]").fill(value)
        form = page.locator("main form", has=page.locator("[name]:not([type=hidden])")).first
        submit = "form.querySelector('button:not([type=button])').click()"
        form.evaluate(f"(form) => {{ form.noValidate = true; {submit}; }}")
        error = page.locator("main .errorlist, main .notice.error:not([hidden])")
        expect(error.first).to_be_visible()
        faults += Looker(page).faults_in_all(TWO)
        page.context.close()
    assert "\n".join(faults) == ""


# --- the tagging page -------------------------------------------------------------------------------------


@pytest.fixture
def desk_of(page_of):
    """The tagging page with a clip that may be answered, opened by a click as people do."""

    def one_more(slug="juniper", visitor="reviewer", **options):
        page = page_of(visitor, **options)
        desk.at_desk(page, slug)
        desk.wait_until_answerable(page)
        return page

    return one_more


def log_out(page):
    page.context.clear_cookies()
    page.get_by_role("button", name="Similar").click()
    expect(page.get_by_text("You are logged out")).to_be_visible()


def answer_some(page):
    page.get_by_role("button", name="Yes").click()
    desk.wait_until_answerable(page)
    page.get_by_text("Your last answers").click()


STATES = {
    "the keys are shown": lambda page: page.get_by_role("button", name="Keys and sound").click(),
    "a report is open": lambda page: page.locator("[data-part=report] summary").click(),
    "the last answers are shown": answer_some,
    "an earlier answer is changed": lambda page: page.get_by_role("button", name="Undo the last").click(),
    "logged out": log_out,
}


def test_no_state_of_the_tagging_page_has_a_fault(desk_of):
    page = desk_of(expected=["401", "403"])
    looker, faults = Looker(page), []
    for state, reach in STATES.items():
        looker.look(MODES[0])
        reach(page)
        faults += [f"{state}: {fault}" for fault in looker.faults_in_all(TWO)]
        page.keyboard.press("Escape")
    assert "\n".join(faults) == ""


FOCUSED = """() => {
    const { activeElement: here } = document;
    if (here === document.body) return null;
    const { outlineStyle, outlineWidth } = getComputedStyle(here);
    const { top, bottom } = here.getBoundingClientRect();
    const isMarked = outlineStyle !== "none" && parseFloat(outlineWidth) >= 2;
    return [here.outerHTML.slice(0, 100), isMarked && bottom > 0 && top < innerHeight];
}"""


def test_the_keyboard_focus_is_always_visible(desk_of):
    page = desk_of()
    page.evaluate("document.activeElement.blur()")
    stops = []
    while (not stops or page.evaluate(FOCUSED)) and len(stops) < 100:
        page.keyboard.press("Tab")
        stops += [page.evaluate(FOCUSED)]
    focused = [stop for stop in stops if stop]
    assert [html for html, is_visible in focused if not is_visible] == []
    for control in (
        "skip-link",
        "play primary",
        "seek",
        'value="noise"',
        "Skip",
        'data-act="help"',
        "Español",
    ):
        assert any(control in html for html, _ in focused), control


MOVES = """() => {
    window.moved = [];
    for (const event of ["transitionrun", "animationstart"]) {
        document.addEventListener(event, ({ target }) => moved.push(target.outerHTML.slice(0, 80)), true);
    }
}"""


@mutant(
    "nothing moves for people who prefer reduced motion",
    "static/css/site.css",
    kept_by="    transition: none !important;\n",
    broken="",
)
@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_nothing_moves_with_reduced_motion(desk_of, motion):
    page = desk_of(reduced_motion=motion)
    page.evaluate(MOVES)
    page.get_by_role("button", name="Similar").click()
    desk.wait_until_answerable(page)
    page.get_by_role("button", name="Keys and sound").click()
    page.get_by_role("button", name="Close").click()
    moved = page.evaluate("moved")
    assert (moved != []) if motion == "no-preference" else moved == []
    if motion == "reduce":
        assert page.evaluate("document.getAnimations().length") == 0


BORDERS = """(selector) => [...document.querySelectorAll(selector)].map((each) => {
    const { color, backgroundColor, borderTopStyle, borderTopColor, borderTopWidth } = getComputedStyle(each);
    return color !== backgroundColor && borderTopStyle === "solid" && borderTopColor !== backgroundColor &&
        parseFloat(borderTopWidth) >= 1;
})"""


@mutant(
    "answers are distinguishable in forced colours",
    "static/css/site.css",
    kept_by="    outline: 2px solid;\n",
    broken="",
)
def test_answers_are_distinguishable_in_forced_colours(desk_of):
    page = desk_of(forced_colors="active")
    assert page.evaluate("matchMedia('(forced-colors: active)').matches")
    assert page.evaluate(BORDERS, ".answer") == [True] * 4
    sign, button = page.evaluate("""["::before", null].map((part) =>
        getComputedStyle(document.querySelector(".play"), part).backgroundColor)""")
    assert sign != button
    page.get_by_role("button", name="Similar").click()
    desk.wait_until_answerable(page)
    page.get_by_role("button", name="Undo the last").click()
    chosen = page.locator('.answer[aria-pressed="true"]')
    expect(chosen).to_have_css("outline-style", "solid")
    expect(page.locator('.answer[aria-pressed="false"]').first).to_have_css("outline-style", "none")


# --- by screen reader ---------------------------------------------------------------------------------------

# What a screen reader announces: text that appears in a live region which was there before.
LISTEN = """() => {
    window.announced = [];
    const regions = "[role=status], [role=alert], [aria-live]";
    new MutationObserver((changes) => {
        const heard = new Set(changes.map(({ target }) => (target.closest ? target : target.parentElement))
            .map((each) => each?.closest(regions)).filter(Boolean));
        for (const region of heard) {
            const text = region.innerText.replace(/\\s+/g, " ").trim();
            if (text) announced.push(text);
        }
    }).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
}"""


@mutant(
    "a screen reader announces what happened to each answer",
    "static/js/desk/desk-navigation.js",
    kept_by='    if (this.done) this.#announceDone(this.word("next-clip"));\n',
    broken="",
)
def test_a_screen_reader_announces_once_what_happened_to_each_answer(desk_of):
    page = desk_of()
    page.evaluate(LISTEN)
    announcements = {"[value=no]": "Saved: No. Next clip.", "[data-key-name=skip]": "Skipped. Next clip."}
    for button, words in announcements.items():
        page.locator(button).click()
        desk.wait_until_answerable(page)
        assert page.evaluate("announced") == [words]
        page.evaluate("announced.length = 0")


def test_a_screen_reader_announces_unsent_answers_and_that_they_were_sent(desk_of):
    page = desk_of("sentences", "volunteer", expected=["ERR_FAILED"])
    page.evaluate(LISTEN)
    page.route("**/annotation/", lambda route: route.abort())
    page.get_by_label("What is said?").fill("what a fine day")
    page.get_by_role("button", name="Send").click()
    comes_true(page, "announced.some((text) => text.startsWith('No connection. Not sent yet'))")
    assert "Saved." in " ".join(page.evaluate("announced"))
    page.unroute("**/annotation/")
    desk.try_now(page)
    comes_true(page, "announced.at(-1) === 'Everything has been sent.'")


def test_live_regions_are_in_the_page_before_anything_happens(page_of):
    page = page_of("reviewer", java_script_enabled=False)
    page.goto("/tag/juniper/")
    for part in ("status", "announcement"):
        expect(page.locator(f"[role=status][data-part={part}]")).to_have_count(1)
    expect(page.locator("[role=status]:has([data-part=unsent][hidden])")).to_have_count(1)

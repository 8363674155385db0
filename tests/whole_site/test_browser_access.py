"""Everybody can use every page: WCAG 2.2 AA by axe-core, with text at 200 %, by keyboard, and by ear.

One real site, and real Chromium. Every page is loaded once for each visitor and then looked at in each mode.
"""

from functools import partial

import httpx
import pytest
from playwright.sync_api import Route, expect

from tests.support import access, desk
from tests.support.access import HALVES, MODES, Looker
from tests.support.mutants import mutant
from tests.support.site import Site
from tests.whole_site.test_browser_journey import comes_true


@pytest.fixture(scope="module")
def shown(browser, tmp_path_factory):
    """A published site with one of each, and what it shows to whom."""
    with Site(tmp_path_factory.mktemp("access") / "home", DEBUG="0") as site:
        told = access.shown_by(site)
        told["url"] = site.url
        told["not-understood"] = httpx.get(site.url, headers={"Host": "elsewhere"}).text
        yield told


@pytest.fixture
def page_of(shown, visit):
    """A page of one visitor's, at a telephone's width unless the test wants another."""
    visitors = {each["visitor"]: each for each in shown["shown"]}

    def one_more(visitor, **options):
        page = visit(base_url=shown["url"], **options)
        page.context.add_cookies(access.cookies(visitors[visitor], shown["url"]))
        return page

    return one_more


# What an address shows is the same for many: its header is seen on each visitor's first page.
SAME = """() => location.pathname === "/" ? Math.random() :
    document.querySelector("main").innerHTML.replace(/ value="[^"]*"/g, "").replace(/\\d+/g, "")"""


def test_nothing_is_found_on_any_page(shown, page_of):
    faults, seen = [], set()
    for each in shown["shown"]:
        looker = Looker(page_of(each["visitor"], expected=["40"]))
        for address in access.ours(each["addresses"]):
            looker.look(MODES[0])
            looker.page.goto(address)
            if (content := looker.page.evaluate(SAME)) not in seen:
                # By turns, as all of it takes minutes: `make bench` asks axe in each mode.
                faults += looker.faults_in_all(axed=HALVES[len(seen) % 2])
                seen.add(content)
        looker.page.context.close()
    assert "\n".join(faults) == ""
    assert len(seen) > 40, seen


# --- states that a list of addresses does not show ------------------------------------------------

TWO = (MODES[1], MODES[2])  # at a telephone's width each: dark, and with text at 200 %
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


def test_pages_of_errors_are_held_to_the_same(shown, page_of):
    page = page_of("contributor", expected=["40"])
    for name in ("broken", "not-understood"):
        page.route(f"**/{name}/", partial(Route.fulfill, body=shown[name], content_type="text/html"))
    looker, faults = Looker(page), []
    for address, heading in (
        ("/nothing/", "There is nothing here"),
        ("/review/", "You do not have access to this page"),
        ("/not-understood/", "We could not understand this request"),
        ("/broken/", "Something went wrong on our side"),
    ):
        page.goto(address)
        expect(page.get_by_role("heading", level=1)).to_have_text(heading)
        faults += looker.faults_in_all(TWO)
    page.goto("/leave/")
    page.evaluate("document.querySelector('main [name=csrfmiddlewaretoken]').value = 'none'")
    page.locator("main form [type=radio]").first.check()
    page.locator("main form button").click()
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


def test_forms_that_were_refused_say_so_to_everybody(page_of):
    faults = []
    for visitor, address, fields in FORMS:
        page = page_of(visitor, expected=["400"])
        page.goto(address)
        for name, value in fields.items():
            page.locator(f"main [name={name}]").fill(value)
        form = page.locator("main form", has=page.locator("[name]:not([type=hidden])")).first
        form.evaluate("(form) => { form.noValidate = true; form.querySelector('button').click(); }")
        error = page.locator("main .errorlist, main .notice.error")
        expect(error.first).to_be_visible()
        faults += Looker(page).faults_in_all(TWO)
        page.context.close()
    assert "\n".join(faults) == ""


# --- the desk -------------------------------------------------------------------------------------


@pytest.fixture
def desk_of(page_of):
    """A desk with a clip, reached by a click as people reach it, its answers open."""

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


def test_every_state_of_the_desk_is_held_to_the_same(desk_of):
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


def test_by_keyboard_one_sees_where_one_is(desk_of):
    page = desk_of()
    page.evaluate("document.activeElement.blur()")
    stops = []
    while (not stops or page.evaluate(FOCUSED)) and len(stops) < 100:
        page.keyboard.press("Tab")
        stops += [page.evaluate(FOCUSED)]
    passed = [stop for stop in stops if stop]
    assert [html for html, is_seen in passed if not is_seen] == []
    for control in (
        "skip-link",
        "play primary",
        "seek",
        'value="noise"',
        "Skip",
        'data-act="help"',
        "Español",
    ):
        assert any(control in html for html, _ in passed), control


MOVES = """() => {
    window.moved = [];
    for (const event of ["transitionrun", "animationstart"]) {
        document.addEventListener(event, ({ target }) => moved.push(target.outerHTML.slice(0, 80)), true);
    }
}"""


@mutant(
    "nothing moves for those who ask for that",
    "static/css/site.css",
    kept_by="    transition: none !important;\n",
    broken="",
)
@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_nothing_moves_for_those_who_ask_for_that(desk_of, motion):
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
    "answers can be told apart in the system's own colours",
    "static/css/site.css",
    kept_by="    outline: 2px solid;\n",
    broken="",
)
def test_answers_can_be_told_apart_in_the_systems_own_colours(desk_of):
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


# --- by ear ---------------------------------------------------------------------------------------

# What a screen reader says of changes: text that comes into a live region that was there before.
LISTEN = """() => {
    window.said = [];
    const regions = "[role=status], [role=alert], [aria-live]";
    new MutationObserver((changes) => {
        const heard = new Set(changes.map(({ target }) => (target.closest ? target : target.parentElement))
            .map((each) => each?.closest(regions)).filter(Boolean));
        for (const region of heard) {
            const text = region.innerText.replace(/\\s+/g, " ").trim();
            if (text) said.push(text);
        }
    }).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
}"""


@mutant(
    "a screen reader hears what became of each answer",
    "static/js/desk/desk-turns.js",
    kept_by='    if (this.done) this.#tellDone(this.word("next-clip"));\n',
    broken="",
)
def test_a_screen_reader_hears_once_what_became_of_each_answer(desk_of):
    page = desk_of()
    page.evaluate(LISTEN)
    told = {"[value=no]": "Saved: No. Next clip.", "[data-key-name=skip]": "Skipped. Next clip."}
    for button, words in told.items():
        page.locator(button).click()
        desk.wait_until_answerable(page)
        assert page.evaluate("said") == [words]
        page.evaluate("said.length = 0")


def test_a_screen_reader_hears_that_answers_wait_and_that_they_are_sent(desk_of):
    page = desk_of("sentences", "volunteer", expected=["ERR_FAILED"])
    page.evaluate(LISTEN)
    page.route("**/annotation/", lambda route: route.abort())
    page.get_by_label("What is said?").fill("what a fine day")
    page.get_by_role("button", name="Send").click()
    comes_true(page, "said.some((text) => text.startsWith('No connection. Not sent yet'))")
    assert "Saved." in " ".join(page.evaluate("said"))
    page.unroute("**/annotation/")
    desk.try_now(page)
    comes_true(page, "said.at(-1) === 'Everything has been sent.'")


def test_live_regions_stand_in_the_page_before_anything_happens(page_of):
    page = page_of("reviewer", java_script_enabled=False)
    page.goto("/tag/juniper/")
    for part in ("status", "told"):
        expect(page.locator(f"[role=status][data-part={part}]")).to_have_count(1)
    expect(page.locator("[role=status]:has([data-part=unsent][hidden])")).to_have_count(1)

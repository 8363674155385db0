"""Browsers of 2021: the desk works without what they lack; where a script cannot start, the form does."""

import pytest
from playwright.sync_api import expect

from tests.support import desk
from tests.support.desk import OFFLINE, answered, answers_of, at_desk, press, stored_on_device
from tests.support.mutants import mutant

# Newer than June 2021. Deleted before any script of the page runs.
LACKS = """
delete AbortSignal.timeout;
delete AbortSignal.any;
delete window.structuredClone;
delete window.BroadcastChannel;
delete Object.hasOwn;
delete SubmitEvent.prototype.submitter;
delete HTMLDialogElement.prototype.showModal;
delete HTMLDialogElement.prototype.close;
delete HTMLFormElement.prototype.requestSubmit;
delete HTMLElement.prototype.inert;
delete Element.prototype.checkVisibility;
delete Crypto.prototype.randomUUID;
delete Navigator.prototype.locks;
delete Navigator.prototype.userActivation;
for (const name of ["at", "findLast", "findLastIndex", "toSorted", "toReversed", "with"]) {
  delete Array.prototype[name];
  delete Object.getPrototypeOf(Int8Array.prototype)[name];
  delete String.prototype[name];
}
"""


@pytest.fixture(scope="module")
def site(browser, site, tmp_path_factory):
    desk.open_unheard(site, tmp_path_factory.mktemp("desk"), quick=12, words=4)
    return site


@pytest.fixture
def person(site, visit):
    return desk.people(site, visit)


@pytest.fixture
def older(person):
    """Someone with a browser of 2021."""

    def start(name, expected=()):
        page = person(name, expected=expected)
        page.context.add_init_script(LACKS)
        return page

    return start


@mutant(
    "the desk works in browsers without AbortSignal.timeout",
    "static/js/site/older-browsers.js",
    kept_by="AbortSignal.timeout ??= ",
    broken="window.timeout ??= ",
)
def test_the_desk_works_in_a_browser_of_2021(site, older):
    page = at_desk(older("ada", expected=[OFFLINE]), "quick")
    assert page.evaluate("typeof structuredClone + typeof [].at") == "undefinedundefined"
    press(page, "y")
    page.get_by_role("button", name="Noise").click()
    answered(page, 2)
    page.context.set_offline(True)
    press(page, "3")
    expect(page.get_by_text("Not sent yet, but saved on this device")).to_be_visible()
    page.context.set_offline(False)
    answered(page, 3)
    assert stored_on_device(page) == []
    page.get_by_role("button", name="Keys and sound").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.get_by_role("dialog").get_by_role("button", name="Close").click()
    expect(page.get_by_role("dialog")).to_be_hidden()
    assert [answer for _, answer, _ in answers_of(site, "ada")] == ["yes", "noise", "no"]


@mutant(
    "the desk works in browsers that do not say which button was pressed",
    "static/js/site/older-browsers.js",
    kept_by='    Object.defineProperty(event, "submitter", { value: submitter });\n',
    broken="",
)
def test_a_transcript_is_sent_in_a_browser_of_2021(site, older):
    page = at_desk(older("bert"), "words")
    page.get_by_label("What is said?").fill("a fine day")
    page.get_by_role("button", name="Send").click()
    answered(page, 1)
    page.get_by_role("button", name="No one speaks").click()
    answered(page, 2)
    assert [answer for _, answer, _ in answers_of(site, "bert")] == ["a fine day", ""]


def test_logging_out_in_one_window_reaches_the_other_in_a_browser_of_2021(older):
    page = older("cora")
    page.goto("/profile/")
    other = page.context.new_page()
    other.goto("/accounts/logout/")
    other.get_by_role("main").get_by_role("button", name="Log out").click()
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()


@mutant(
    "a desk whose script cannot start says so, and its form works",
    "static/js/desk/desk-view.js",
    kept_by='      this.part("without-script").hidden = false;\n',
    broken="",
)
def test_where_the_script_cannot_start_the_form_works_and_the_page_says_so(site, person):
    page = person("dora", expected=["planted"])
    page.context.add_init_script("navigator.mediaSession.setActionHandler = () => { throw Error('planted') }")
    page.goto("/tag/quick/")
    expect(page.get_by_text("This browser cannot run this page’s script.")).to_be_visible()
    expect(page.locator("audio[controls]")).to_be_visible()
    expect(page.get_by_role("button", name="Report", exact=True)).to_be_hidden()
    page.get_by_role("button", name="Similar").click()
    answered(page, 1)
    assert [answer for _, answer, _ in answers_of(site, "dora")] == ["similar"]


def test_where_a_script_does_not_arrive_the_form_works(site, person):
    page = person("eva", expected=["ERR_FAILED"])
    page.context.route("**/keymap*.js", lambda route: route.abort())
    page.goto("/tag/quick/")
    expect(page.locator("audio[controls]")).to_be_visible()
    page.get_by_role("button", name="Similar").click()
    answered(page, 1)
    assert [answer for _, answer, _ in answers_of(site, "eva")] == ["similar"]

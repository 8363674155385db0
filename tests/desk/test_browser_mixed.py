"""The mixed queue in a real browser: the next desk comes without a page load, and nothing is lost."""

import pytest
from playwright.sync_api import expect

from tests.support import desk
from tests.support.browser import sounds_on
from tests.support.desk import JUNIPER, OFFLINE, WRITE, answers_of, press, ready, wait_until_answerable
from tests.support.mutants import mutant

NOT_SENT = "Not sent yet, but saved on this device"


@pytest.fixture(scope="module")
def site(browser, site, tmp_path_factory):
    """Answers may be given before the clip was heard. No other test's campaigns are in this language."""
    esperanto = ("--must-hear", "0", "--language", "eo")
    desk.open_campaigns(
        site,
        tmp_path_factory.mktemp("mixed"),
        vekvorto=("wake-word", 8, *esperanto),
        frazoj=("transcription", 2, *esperanto, "--guidelines", "Write every word."),
        english=("transcription", 1),
    )
    return site


@pytest.fixture
def person(site, visit):
    return desk.people(site, visit)


def choose_esperanto(page):
    page.get_by_label("Esperanto").check()
    page.get_by_role("button", name="Save", exact=True).first.click()
    expect(page.get_by_text("Campaigns in your languages now come first.")).to_be_visible()


def pretend_nine(page):
    """Pretend that nine answers of this set were given."""
    ready(page)
    page.evaluate("() => { for (let n = 0; n < 9; n++) document.querySelector('clip-desk').set.add(); }")


def send(page, words):
    wait_until_answerable(page)
    page.get_by_label("What is said?").fill(words)
    page.keyboard.press("Control+Enter")


@mutant(
    "an answer that is not sent yet is not lost when the mixed queue goes on",
    "static/js/desk/sync/outbox.js",
    kept_by="    this.#isClosed = true;\n",
    broken="    this.#isClosed = true;\n    for (const l of this.#letters.all()) this.#letters.remove(l);\n",
)
def test_after_ten_answers_the_next_campaign_comes_without_a_page_load(site, person):
    page = person("ina", expected=[OFFLINE, "ERR_FAILED"])
    choose_esperanto(page)
    page.get_by_role("link", name="Mix them").click()
    expect(page.get_by_role("heading", name=JUNIPER)).to_be_visible()
    page.evaluate("window.isStill = true")
    pretend_nine(page)
    page.route("**/annotation/", lambda route: route.abort())
    press(page, "y")
    expect(page.get_by_text(NOT_SENT)).to_be_visible()
    page.get_by_role("button", name="Continue").press("Enter")
    expect(page.get_by_role("heading", name=WRITE)).to_be_visible()
    expect(page.get_by_label("What is said?")).to_be_focused()
    sounds_on(page)
    page.get_by_text("These guidelines are unclear here").click()
    page.get_by_label("What is unclear? (optional)").fill("Numbers: in digits?")
    page.get_by_role("button", name="Tell them").click()
    expect(page.get_by_text("Whoever runs this campaign will see it.")).to_be_visible()
    page.unroute("**/annotation/")
    pretend_nine(page)
    page.context.set_offline(True)
    send(page, "bonan tagon")
    page.get_by_role("button", name="Continue").press("Enter")
    expect(page.get_by_text(NOT_SENT)).to_be_visible()
    page.context.set_offline(False)
    expect(page.get_by_role("heading", name=JUNIPER)).to_be_visible()
    expect(page.locator(".play")).to_be_focused()
    press(page, "3")
    expect(page.locator("#answered")).to_have_text("2")
    assert page.evaluate("window.isStill")
    given = [[campaign, answer] for campaign, answer, _ in answers_of(site, "ina")]
    assert sorted(given) == [["frazoj", "bonan tagon"], ["vekvorto", "no"], ["vekvorto", "yes"]]


def test_without_a_pause_the_queue_goes_on_by_itself_and_an_empty_campaign_offers_the_next(person):
    page = person("jan")
    choose_esperanto(page)
    desk.without_pause(page)
    page.goto("/tag/mixed/")
    pretend_nine(page)
    press(page, "y")
    expect(page.get_by_role("heading", name=WRITE)).to_be_visible()
    for words in ("unu", "du"):
        send(page, words)
    expect(page.get_by_role("heading", name=JUNIPER)).to_be_visible()  # only two clips were there
    ready(page)
    page.goto("/tag/frazoj/")
    page.get_by_role("link", name="Go to that campaign “hey juniper” in Esperanto").click()
    expect(page.get_by_role("heading", name=JUNIPER)).to_be_visible()

"""The mixed queue in a real browser: the next desk comes without a page load, and nothing is lost."""

import json

import pytest
from playwright.sync_api import expect

from tests.support import desk
from tests.support.browser import comes_true, sounds_on
from tests.support.desk import (
    JUNIPER,
    OFFLINE,
    WRITE,
    answered,
    answers_of,
    press,
    ready,
    stored_on_device,
    try_now,
    wait_until_answerable,
)
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


def go_on(page):
    page.get_by_role("button", name="Continue").press("Enter")


def with_two_unsent(page):
    """After "yes" at the first desk and words at the second, in the pause before the first comes again."""
    choose_esperanto(page)
    page.get_by_role("link", name="Mix them").click()
    page.route("**/annotation/", lambda route: route.abort())
    pretend_nine(page)
    press(page, "y")
    go_on(page)
    expect(page.get_by_role("heading", name=WRITE)).to_be_visible()
    pretend_nine(page)
    send(page, "bonan tagon")
    expect(page.get_by_text(NOT_SENT)).to_be_visible()
    return page


def while_the_next_desk_loads(page, act):
    """Does this once the server has made the next desk's page, before the browser has it."""

    def hold(route):
        made = route.fetch()
        act()
        route.fulfill(response=made)

    page.route("**/tag/mixed/?after=frazoj", hold)


def send_all(page):
    """Until the server has confirmed everything."""
    page.unroute("**/annotation/")
    try_now(page)
    comes_true(page, "!Object.keys(localStorage).some((key) => key.includes(':letter:'))")


def skip_first(page):
    """The first clip is skipped elsewhere, so that the answer to it, which waits, will be refused."""
    waiting = sorted(map(json.loads, stored_on_device(page, "letter")), key=lambda letter: letter["key"])
    assert desk.post(page, f"assignments/{waiting[0]['assignment']}/skip/").status == 204


def answers_today(page):
    return page.locator("[data-part=today]").text_content()


def send_first(page, before=lambda: None):
    """The first answer goes off, and what the server says comes back only when the next desk is shown.

    `before`: done before the server gets it.
    """

    def hold(route):
        before()
        said = route.fetch()
        expect(page.get_by_role("heading", name=JUNIPER)).to_be_visible()
        route.fulfill(response=said)

    page.unroute("**/annotation/")
    page.route("**/annotation/", hold, times=1)
    with page.expect_request("**/annotation/"):
        try_now(page)


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


@mutant(
    "a clip is not shown again whose answer arrives while the next desk is on its way",
    "static/js/desk/clip-desk.js",
    kept_by="const letters = [...confirmed.map(({ letter }) => letter), ...this.letters.all()];",
    broken="const letters = this.letters.all();",
)
@mutant(
    "an answer that arrives while the next desk is on its way is counted there",
    "static/js/desk/clip-desk.js",
    kept_by="    confirmed.forEach((detail) => this.#sent(detail));\n",
    broken="",
)
def test_an_answer_that_arrives_while_the_next_desk_loads_is_counted_and_not_asked_for_again(site, person):
    page = with_two_unsent(person("kai", expected=["ERR_FAILED"]))
    while_the_next_desk_loads(page, lambda: send_all(page))
    go_on(page)
    expect(page.get_by_role("heading", name=JUNIPER)).to_be_visible()
    answered(page, 1)
    assert answers_today(page) == "2"
    press(page, "3")
    answered(page, 2)
    assert answers_today(page) == "3"
    given = [[campaign, answer] for campaign, answer, _ in answers_of(site, "kai")]
    assert given == [["vekvorto", "yes"], ["frazoj", "bonan tagon"], ["vekvorto", "no"]]


@mutant(
    "a desk hears what becomes of answers that were on their way when it came",
    "static/js/desk/sync/outbox.js",
    kept_by="    if (!this.#isRunning) this.#channel.close();\n  }",
    broken="    this.#channel.close();\n  }",
)
def test_an_answer_that_is_confirmed_after_the_next_desk_came_is_counted_there(person):
    page = with_two_unsent(person("lea", expected=["ERR_FAILED"]))
    while_the_next_desk_loads(page, lambda: send_first(page))
    go_on(page)
    expect(page.get_by_role("heading", name=JUNIPER)).to_be_visible()
    answered(page, 1)


def test_an_answer_that_is_refused_after_the_next_desk_came_is_named_there(person):
    page = with_two_unsent(person("max", expected=["ERR_FAILED", "409"]))
    while_the_next_desk_loads(page, lambda: send_first(page, before=lambda: skip_first(page)))
    go_on(page)
    expect(page.get_by_role("heading", name=JUNIPER)).to_be_visible()
    expect(page.get_by_text("Not counted: This clip was already skipped.")).to_be_visible()


def test_a_refusal_is_said_at_the_next_desk_until_somebody_has_read_it(person):
    page = with_two_unsent(person("nia", expected=["ERR_FAILED", "409"]))
    skip_first(page)
    send_all(page)
    expect(page.get_by_text("Not counted: This clip was already skipped.")).to_be_visible()
    go_on(page)
    expect(page.get_by_role("heading", name=JUNIPER)).to_be_visible()
    page.get_by_role("button", name="I have read it").click()
    expect(page.get_by_text("Not counted: This clip was already skipped.")).to_be_hidden()


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

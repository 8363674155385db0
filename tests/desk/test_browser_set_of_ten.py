"""A set of ten answers and the pause after it, in a real browser: no key answers by mistake at the pause."""

import pytest
from playwright.sync_api import expect

from tests.support import desk
from tests.support.browser import sounds_on
from tests.support.desk import (
    OFFLINE,
    answered,
    answers_of,
    at_desk,
    prefetched,
    press,
    ready,
    wait_until_answerable,
)
from tests.support.mutants import mutant

SET = 10


@pytest.fixture(scope="module")
def site(browser, site, tmp_path_factory):
    desk.open_unheard(site, tmp_path_factory.mktemp("set-of-ten"), quick=14, words=5)
    return site


@pytest.fixture
def person(site, visit):
    return desk.people(site, visit)


def in_set(page, number):
    expect(page.locator("[data-part=set-text]")).to_have_text(f"{number} of 10 in this set")
    expect(page.locator("[data-part=set] .is-given")).to_have_count(number)


def pause(page):
    return page.get_by_role("group", name="Ten answers. Thank you.")


def continue_button(page):
    return page.get_by_role("button", name="Continue")


def paused(page):
    """The pause is shown instead of the clip, and Enter presses “Continue”."""
    expect(pause(page)).to_be_visible()
    expect(page.locator("[data-part=clip]")).to_be_hidden()
    expect(continue_button(page)).to_be_focused()


def pretend_nine(page):
    """Pretend that nine answers of this set were given; one test gives them all."""
    ready(page)
    page.evaluate("() => { for (let n = 0; n < 9; n++) document.querySelector('clip-desk').set.add(); }")
    in_set(page, SET - 1)


def give_the_tenth(page, key="y"):
    pretend_nine(page)
    press(page, key)
    paused(page)


def showing(page):
    return page.evaluate("document.querySelector('clip-desk').showing")


def test_ten_answers_by_keyboard_make_a_set_and_no_key_answers_at_the_pause(site, person):
    page = at_desk(person("ada"), "quick")
    in_set(page, 0)
    press(page, "y")
    in_set(page, 1)
    press(page, "6")
    ready(page)
    in_set(page, 1)
    for number in range(2, SET + 1):
        press(page, "y")
        in_set(page, number)
    paused(page)
    expect(pause(page)).to_contain_text("Your answers today: 10")
    expect(pause(page)).to_contain_text("Your answers from today are waiting for company")
    expect(pause(page)).to_contain_text("Your wave: one bar for the day you came.")
    for key in "1234ysnxkr[]l":
        page.keyboard.press(key)
    paused(page)
    answered(page, SET)
    page.keyboard.press("Enter")
    in_set(page, 0)
    sounds_on(page)
    expect(page.locator(".play")).to_be_focused()
    press(page, "3")
    answered(page, SET + 1)
    in_set(page, 1)
    assert [answer for _, answer, _ in answers_of(site, "ada")] == ["yes"] * SET + ["no"]


def test_after_the_pause_the_next_clip_needs_no_network(person):
    page = at_desk(person("abel", expected=[OFFLINE]), "quick")
    prefetched(page, 3)
    give_the_tenth(page)
    answered(page, 1)
    page.context.set_offline(True)
    page.keyboard.press("Space")
    sounds_on(page)
    assert showing(page) is not None
    page.context.set_offline(False)


@mutant(
    "the pause after ten answers stays until “Continue” is pressed",
    "static/js/desk/desk-navigation.js",
    kept_by="    if (this.set.isFull) return this.#pause();\n",
    broken="",
)
def test_the_last_answer_can_be_undone_at_the_pause(site, person):
    page = at_desk(person("bert"), "quick")
    give_the_tenth(page)
    answered(page, 1)
    page.keyboard.press("u")
    expect(page.get_by_text("You are hearing an earlier clip again. Your answer was: Yes")).to_be_visible()
    expect(pause(page)).to_be_hidden()
    in_set(page, SET)
    with page.expect_response("**/api/v1/annotations/*/"):
        press(page, "3")
    paused(page)
    page.keyboard.press("u")
    page.get_by_role("button", name="Keep my answer").click()
    paused(page)
    page.keyboard.press("Enter")
    in_set(page, 0)
    press(page, "2")
    answered(page, 2)
    assert answers_of(site, "bert") == [["quick", "no", True], ["quick", "similar", False]]


def test_the_pause_can_be_switched_off_on_the_device_and_the_dots_still_count(person):
    page = at_desk(person("cleo"), "quick")
    page.keyboard.press("?")
    page.get_by_label("Pause after every ten answers").uncheck()
    page.keyboard.press("Escape")
    pretend_nine(page)
    for number in (SET, 1):
        press(page, "y")
        in_set(page, number)
    expect(pause(page)).to_be_hidden()
    answered(page, 2)
    page.reload()
    ready(page)
    expect(page.locator("[name=pauses]")).not_to_be_checked()


def test_a_double_click_does_not_skip_the_pause_and_stop_leads_to_the_campaigns(person):
    page = at_desk(person("dora"), "quick")
    pretend_nine(page)
    wait_until_answerable(page)
    page.evaluate("""() => {
        document.querySelector(".answer").click();
        const twice = new MouseEvent("click", { bubbles: true, detail: 2 });
        document.querySelector("[data-act=go-on]").dispatchEvent(twice);
    }""")
    paused(page)
    answered(page, 1)
    page.get_by_role("link", name="Stop for today").click()
    expect(page.get_by_text("Of these, 1 today.")).to_be_visible()


def test_after_the_pause_a_transcriber_is_back_in_the_text_box(site, person):
    page = at_desk(person("eli"), "words")
    box = page.get_by_label("What is said?")
    pretend_nine(page)
    wait_until_answerable(page)
    box.fill("hey juniper")
    page.keyboard.press("Control+Enter")
    paused(page)
    page.keyboard.press("Control+Enter")
    paused(page)
    page.keyboard.press("Enter")
    expect(box).to_be_focused()
    page.keyboard.type("x")
    expect(box).to_have_value("x")
    answered(page, 1)
    assert answers_of(site, "eli") == [["words", "hey juniper", False]]

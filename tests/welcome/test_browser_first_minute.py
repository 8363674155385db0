"""A newcomer's first minute in a real browser: by keyboard only, and on a narrow screen."""

import re

import pytest
from playwright.sync_api import expect

from tests.support.browser import comes_true, make_pledge, sounds_on, too_small, too_wide
from tests.support.desk import JUNIPER, TITLES, WRITE, answered, answers_of, open_campaigns, press
from tests.support.people import PASSWORD

NARROW = {"viewport": {"width": 360, "height": 740}}
MOST_TABS = 40  # far more than any of these pages has focusable elements


@pytest.fixture(scope="module")
def site(browser, site, tmp_path_factory):
    campaigns = {"juniper": ("wake-word", 11), "sentences": ("transcription", 3)}
    open_campaigns(site, tmp_path_factory.mktemp("first-minute"), **campaigns)
    return site


def tab_to(page, place):
    """Press Tab until the place has the focus."""
    for _ in range(MOST_TABS):
        if place.evaluate("place => place === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"no Tab leads to {place}")


def press_at(page, place, key):
    tab_to(page, place)
    page.keyboard.press(key)


def type_into(page, label, text):
    tab_to(page, page.get_by_label(label))
    page.keyboard.type(text)


def sign_up(page, name):
    page.goto("/accounts/signup/")
    type_into(page, "Pseudonym", name)
    type_into(page, "Password", PASSWORD)
    press_at(page, page.get_by_role("main").get_by_role("button", name="Sign up"), "Enter")
    expect(page.get_by_role("heading", name="Choose what to listen to")).to_be_visible()


def heard(page):
    """Wait until the clip was heard to its end, so that any answer may be given."""
    expect(page.locator("practice-desk:defined")).to_be_attached()
    sounds_on(page)
    expect(page.locator("[data-hear][aria-disabled]")).to_have_count(0)


def answer(page, key, feedback):
    heard(page)
    page.keyboard.press(key)
    expect(page.locator("[data-part=feedback]")).to_contain_text(feedback)
    expect(page.locator("[data-part=onward] a")).to_be_focused()


def fits(page):
    assert too_wide(page) == too_small(page) == []


def test_signing_up_to_the_tenth_answer_by_keyboard_only(site, visit):
    page = visit(base_url=site.url, expected=["400"], **NARROW)  # “Continue” without the tick
    sign_up(page, "nina")
    press_at(page, page.get_by_role("link", name=f"Listen {TITLES[JUNIPER]}"), "Enter")
    expect(page.get_by_role("heading", name="What you hear stays here")).to_be_visible()
    fits(page)
    press_at(page, page.get_by_role("button", name="Continue"), "Enter")
    expect(page.get_by_role("alert")).to_contain_text("Tick “I promise” first.")
    press_at(page, page.get_by_label("I promise"), "Space")
    press_at(page, page.get_by_role("button", name="Continue"), "Enter")

    expect(page.get_by_text("Practice 1 of 3")).to_be_visible()
    fits(page)
    answer(page, "1", "Right.")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Practice 2 of 3")).to_be_visible()
    heard(page)
    # Space would pause a clip that still plays, and a slow test would find this one ended again.
    comes_true(page, "document.querySelector('audio').ended")
    page.evaluate("document.querySelector('audio').onplay = () => (window.plays_again = true)")
    page.keyboard.press("Space")
    comes_true(page, "window.plays_again")
    answer(page, "y", "Not quite.")
    answer(page, "2", "Right.")
    fits(page)
    page.keyboard.press("Enter")
    expect(page.get_by_text("Practice 3 of 3")).to_be_visible()
    answer(page, "4", "Right.")
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", name="You are ready")).to_be_visible()
    expect(page.get_by_role("link", name="Go to the clips")).to_be_focused()
    fits(page)
    page.keyboard.press("Enter")
    expect(page.locator("clip-desk")).to_be_visible()
    sounds_on(page)
    assert answers_of(site, "nina") == []

    given = [*"1234", *"1234", *"13"]
    for key in given:
        press(page, key)
    expect(page.get_by_role("heading", name="Ten answers. Thank you.")).to_be_visible()
    answered(page, len(given))
    meant = {"1": "yes", "2": "similar", "3": "no", "4": "noise"}
    assert [answer for _, answer, _ in answers_of(site, "nina")] == [meant[key] for key in given]
    page.keyboard.press("Enter")  # “Continue” has the focus at the pause
    sounds_on(page)


def test_sentences_are_practised_with_the_tagging_pages_keys_and_stored_nowhere(site, visit):
    page = visit(base_url=site.url)
    sign_up(page, "otto")
    page.get_by_role("link", name=f"Listen {TITLES[WRITE]}").click()
    page.get_by_label("I promise").check()
    page.get_by_role("button", name="Continue").click()
    box = page.get_by_label("What is said?")
    heard(page)
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("Write what is said, or press “No one speaks”.")).to_be_visible()
    box.press_sequentially("please turn of the light")
    page.keyboard.press("Control+Enter")
    expect(page.locator("[data-part=feedback]")).to_contain_text(re.compile("Word 3 is “.on.”, .* “.of.”"))
    box.fill("please turn on the light")
    page.keyboard.press("Control+Enter")
    expect(page.locator("[data-part=feedback]")).to_contain_text("Right.")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Practice 2 of 3")).to_be_visible()
    box.press_sequentially("put the")
    page.get_by_role("button", name="Insert [unclear]").click()
    page.keyboard.type("on the table")
    expect(box).to_have_value("put the [unclear] on the table")
    answer(page, "Control+Enter", "Right.")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Practice 3 of 3")).to_be_visible()
    heard(page)
    page.get_by_role("button", name="No one speaks").click()
    expect(page.locator("[data-part=feedback]")).to_contain_text("Right.")
    assert "light" not in page.evaluate("JSON.stringify(Object.entries(localStorage))")
    page.get_by_role("link", name="Done").click()
    page.get_by_role("link", name="Go to the clips").click()
    expect(page.get_by_role("heading", name=WRITE)).to_be_visible()
    assert answers_of(site, "otto") == []


def test_the_practice_works_without_javascript(site, visit):
    page = visit(base_url=site.url, java_script_enabled=False, **NARROW)
    sign_up(page, "piet")
    make_pledge(page)
    page.get_by_role("link", name="Practise").click()
    expect(page.locator("audio[controls]")).to_be_visible()
    page.get_by_role("button", name="Similar").click()
    expect(page.get_by_role("status").filter(has_text="Not quite.")).to_be_visible()
    page.get_by_role("button", name="Yes").click()
    expect(page.get_by_role("status").filter(has_text="Right.")).to_be_visible()
    page.get_by_role("link", name="Next clip").click()
    expect(page.get_by_text("Practice 2 of 3")).to_be_visible()
    page.get_by_role("link", name="Skip the practice").click()
    expect(page.locator("clip-desk")).to_be_visible()


def test_an_answer_without_a_connection_can_be_given_again(site, visit):
    page = visit(base_url=site.url, expected=["ERR_INTERNET_DISCONNECTED"])
    sign_up(page, "quinn")
    make_pledge(page)
    page.get_by_role("link", name="Practise").click()
    heard(page)
    page.context.set_offline(True)
    page.keyboard.press("y")
    expect(page.get_by_text("No connection. Try again.")).to_be_visible()
    page.context.set_offline(False)
    answer(page, "y", "Right.")

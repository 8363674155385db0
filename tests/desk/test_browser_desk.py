"""The tagging page loses no answer and can undo one: in a real browser, on a site without DEBUG."""

import pytest
from playwright.sync_api import expect

from tests.support import desk
from tests.support.browser import comes_true
from tests.support.desk import (
    OFFLINE,
    answered,
    answers_of,
    at_desk,
    listen,
    prefetched,
    press,
    ready,
    stored_on_device,
    wait_until_answerable,
)
from tests.support.mutants import mutant

NOT_SENT = "Not sent yet, but saved on this device"


@pytest.fixture(scope="module")
def site(browser, site, tmp_path_factory):
    desk.open_unheard(site, tmp_path_factory.mktemp("desk"), quick=40, words=12, few=3)
    return site


@pytest.fixture
def person(site, visit):
    return desk.people(site, visit)


def not_sent(page, number):
    expect(page.get_by_text(NOT_SENT)).to_contain_text(f": {number}")


# --- the network --------------------------------------------------------------------------------


@mutant(
    "an answer that could not be sent is stored and sent again",
    "static/js/desk/sync/outbox.js",
    kept_by="      if (!(error instanceof Refused)) throw error;\n",
    broken="",
)
def test_offline_all_loaded_clips_can_be_answered_and_each_answer_arrives_once(site, person):
    page = at_desk(person("ada", expected=[OFFLINE]), "quick")
    prefetched(page, 5)
    page.context.set_offline(True)
    for number, key in enumerate("y234", 1):
        press(page, key)
        not_sent(page, number)
    answered(page, 0)
    page.context.set_offline(False)
    answered(page, 4)
    expect(page.get_by_text(NOT_SENT)).to_be_hidden()
    assert stored_on_device(page) == []
    assert [answer for _, answer, _ in answers_of(site, "ada")] == ["yes", "similar", "no", "noise"]


def test_offline_without_clips_the_page_waits_and_sends_once_the_network_is_back(person):
    page = at_desk(person("abel", expected=[OFFLINE]), "few")
    prefetched(page, 3)
    page.context.set_offline(True)
    for key in "yyy":
        press(page, key)
    not_sent(page, 3)
    page.context.set_offline(False)
    expect(page.get_by_role("heading", name="You're all caught up here")).to_be_visible()
    answered(page, 3)


def test_the_queue_survives_a_reload_without_a_network(site, person):
    page = at_desk(person("bert", expected=[OFFLINE]), "quick")
    prefetched(page, 3)
    page.context.set_offline(True)
    press(page, "y")
    not_sent(page, 1)
    press(page, "3")
    not_sent(page, 2)
    with pytest.raises(Exception, match=OFFLINE):
        page.reload()
    page.context.set_offline(False)
    at_desk(page, "quick")
    answered(page, 2)
    assert stored_on_device(page) == []
    assert [answer for _, answer, _ in answers_of(site, "bert")] == ["yes", "no"]


@mutant(
    "an answer survives the tab it was given in",
    "static/js/desk/sync/device-store.js",
    kept_by="    if (write(this.#prefix + key, value))",
    broken="    if (false)",
)
def test_the_next_tab_sends_a_closed_tabs_answers_and_does_not_show_their_clips_again(site, person):
    page = at_desk(person("cora", expected=[OFFLINE, "ERR_FAILED"]), "quick")
    page.route("**/annotation/", lambda route: route.abort())
    press(page, "2")
    not_sent(page, 1)
    first_clip = page.locator("[data-part=lent] li").first.get_attribute("data-id")
    page.close()
    later = page.context.new_page()
    later.route("**/annotation/", lambda route: route.abort())
    at_desk(later, "words")
    not_sent(later, 1)
    later.goto("/tag/quick/")
    not_sent(later, 1)
    assert first_clip in later.locator("[data-part=lent] li").evaluate_all(
        "all => all.map(({ dataset }) => dataset.id)"
    )
    expect(later.locator("[data-part=last] li")).to_contain_text(["Similar waiting to be sent"])
    later.unroute("**/annotation/")
    desk.try_now(later)
    answered(later, 1)
    assert [answer for _, answer, _ in answers_of(site, "cora")] == ["similar"]


def test_a_page_without_clips_still_sends_stored_answers(site, person):
    page = at_desk(person("cleo", expected=["ERR_FAILED"]), "few")
    page.route("**/annotation/", lambda route: route.abort())
    for key in "yyy":
        press(page, key)
    not_sent(page, 3)
    page.close()
    later = page.context.new_page()
    site.manage("shell", "-c", TAKE_ALL_PLACES)
    later.goto("/tag/few/")
    expect(later.get_by_role("heading", name="You're all caught up here")).to_be_visible()
    comes_true(later, "!Object.keys(localStorage).some((key) => key.includes(':letter:'))")
    assert [answer for _, answer, _ in answers_of(site, "cleo")] == ["yes"] * 3


# All places of these tasks are taken, so that the page has nothing to show.
TAKE_ALL_PLACES = """
from datasets.models import Task
Task.objects.filter(campaign__slug="few").update(lent_count=30)
"""


# --- windows, clicks, refusals --------------------------------------------------------------------


def test_two_tabs_never_show_the_same_clip_and_both_count_all_answers(site, person):
    first = at_desk(person("dora"), "quick")
    second = at_desk(first.context.new_page(), "quick")
    shown = set()
    for page, key in ((first, "y"), (second, "3"), (first, "2"), (second, "4")):
        page.bring_to_front()
        wait_until_answerable(page)
        shown.add(page.evaluate("document.querySelector('clip-desk').showing"))
        page.keyboard.press(key)
    for page in (first, second):
        page.bring_to_front()
        answered(page, 4)
    assert len(shown) == 4
    assert sorted(answer for _, answer, _ in answers_of(site, "dora")) == ["no", "noise", "similar", "yes"]


def test_another_tab_sends_what_one_tab_could_not(site, person):
    first = at_desk(person("egon", expected=["ERR_FAILED"]), "quick")
    first.route("**/annotation/", lambda route: route.abort())
    press(first, "y")
    not_sent(first, 1)
    second = at_desk(first.context.new_page(), "quick")
    answered(second, 1)
    first.bring_to_front()
    expect(first.get_by_text(NOT_SENT)).to_be_hidden()
    answered(first, 1)
    assert [answer for _, answer, _ in answers_of(site, "egon")] == ["yes"]


REFUSALS = {409: "You had this clip for too long", 410: "It was withdrawn"}


@pytest.mark.parametrize("status", REFUSALS)
def test_a_refused_answer_is_shown_and_the_others_are_sent(site, person, status):
    name = f"fred{status}"
    page = at_desk(person(name, expected=[str(status)]), "quick")
    refuse = {"status": status, "json": {"detail": REFUSALS[status]}}
    page.route("**/annotation/", lambda route: route.fulfill(**refuse), times=1)
    press(page, "y")
    expect(page.get_by_text(f"Not counted: {REFUSALS[status]}")).to_be_visible()
    press(page, "3")
    answered(page, 1)
    expect(page.get_by_text(f"Not counted: {REFUSALS[status]}")).to_be_visible()  # until it is dismissed
    page.get_by_role("button", name="I have read it").click()
    expect(page.get_by_text(f"Not counted: {REFUSALS[status]}")).to_be_hidden()
    assert [answer for _, answer, _ in answers_of(site, name)] == ["no"]


def test_an_answer_to_a_clip_hidden_in_the_meantime_is_refused_and_work_continues(site, person):
    page = at_desk(person("gina", expected=["404", "410"]), "quick")
    wait_until_answerable(page)
    site.manage("shell", "-c", HIDE.format(page.evaluate("document.querySelector('clip-desk').showing")))
    press(page, "y")
    expect(page.get_by_text("Not counted: This clip is no longer available")).to_be_visible()
    press(page, "3")
    answered(page, 1)


HIDE = """
from django.utils import timezone
from datasets.models import Clip
Clip.objects.filter(tasks__assignments=({})).update(hidden_at=timezone.now())
"""


def test_an_answer_that_makes_the_server_fail_does_not_block_the_others(site, person):
    page = at_desk(person("hugo", expected=["500"]), "quick")
    called = []

    def fail_on_the_first(route):
        called.append(route.request.url)
        if called[-1] == called[0]:
            route.fulfill(status=500)
        else:
            route.continue_()

    page.route("**/annotation/", fail_on_the_first)
    press(page, "y")
    not_sent(page, 1)
    press(page, "3")
    answered(page, 1)
    page.unroute("**/annotation/")
    desk.try_now(page)
    answered(page, 2)
    assert [answer for _, answer, _ in answers_of(site, "hugo")] == ["no", "yes"]


# --- accounts -----------------------------------------------------------------------------------


@mutant(
    "no answer is sent under another person's account",
    "static/js/desk/sync/api.js",
    kept_by="  if (account !== expected.account || response.status === 403)",
    broken="  if (response.status === 403)",
)
def test_another_accounts_login_sends_none_of_this_pages_answers(site, person):
    """Nor if nothing tells this page of the other account: the script that does is left out."""
    person("ivo").context.close()
    page = at_desk(person("ines", expected=["401", "ERR_FAILED"]), "quick")
    page.context.route("**/site/account*.js", lambda route: route.abort())
    prefetched(page, 3)
    page.reload()
    ready(page)
    page.context.clear_cookies()
    press(page, "y")
    expect(page.get_by_text("You are logged out")).to_be_visible()
    other = page.context.new_page()
    other.goto("/accounts/login/")
    desk.log_in_again(other, "ivo")
    page.bring_to_front()
    desk.try_now(page)
    expect(page.get_by_text("Someone else is now logged in here")).to_be_visible()
    assert len(stored_on_device(page, "letter")) == 1
    other.context.clear_cookies()
    other.goto("/accounts/login/")
    desk.log_in_again(other, "ines")
    page.bring_to_front()
    desk.try_now(page)
    answered(page, 1)
    assert (len(answers_of(site, "ines")), answers_of(site, "ivo")) == (1, [])


# --- undoing -----------------------------------------------------------------------------------


def test_the_last_answer_can_be_undone_and_given_again(site, person):
    page = at_desk(person("lars"), "quick")
    wait_until_answerable(page)
    first = page.evaluate("document.querySelector('clip-desk').showing")
    press(page, "y")
    answered(page, 1)
    wait_until_answerable(page)
    second = page.evaluate("document.querySelector('clip-desk').showing")
    page.keyboard.press("u")
    expect(page.get_by_text("You are hearing an earlier clip again. Your answer was: Yes")).to_be_visible()
    assert page.evaluate("document.querySelector('clip-desk').showing") == first
    listen(page)
    expect(page.locator(".answer[aria-pressed=true]")).to_contain_text("Yes")
    with page.expect_response("**/api/v1/annotations/*/") as changed:
        press(page, "3")
    assert changed.value.status == 200
    ready(page)
    assert page.evaluate("document.querySelector('clip-desk').showing") == second
    expect(page.locator(".answer[aria-pressed]")).to_have_count(0)
    answered(page, 1)
    assert answers_of(site, "lars") == [["quick", "no", True]]


def test_an_unsent_answer_is_changed_in_the_queue(site, person):
    page = at_desk(person("mona", expected=[OFFLINE]), "quick")
    prefetched(page, 3)
    page.context.set_offline(True)
    press(page, "y")
    not_sent(page, 1)
    press(page, "2")  # queued behind the one that is being sent, so no attempt was made yet
    not_sent(page, 2)
    wait_until_answerable(page)
    page.keyboard.press("u")
    expect(page.get_by_text("Your answer was: Similar")).to_be_visible()
    press(page, "4")
    not_sent(page, 2)
    page.context.set_offline(False)
    answered(page, 2)
    assert answers_of(site, "mona") == [["quick", "yes", False], ["quick", "noise", False]]


@pytest.mark.parametrize("arrives", ["before the page", "after the page"])
def test_an_answer_whose_response_was_lost_counts_once_whether_the_page_came_after_it_or_before(
    person, arrives
):
    page = at_desk(person(f"nell-{arrives.split()[0]}", expected=["ERR_FAILED"]), "quick")
    page.route("**/annotation/", lambda route: route.abort())
    press(page, "y")
    not_sent(page, 1)
    number = page.locator("[data-part=lent] li").first.get_attribute("data-id")
    if arrives == "before the page":
        arrive(page, number)
    page.reload()
    not_sent(page, 1)
    if arrives == "after the page":
        arrive(page, number)
    page.unroute("**/annotation/")
    desk.try_now(page)
    comes_true(page, "!Object.keys(localStorage).some((key) => key.includes(':letter:'))")
    answered(page, 1)
    page.reload()
    answered(page, 1)


def arrive(page, assignment):
    """Hand the answer in as a page does that never learns of the response."""
    response = desk.post(page, f"assignments/{assignment}/annotation/", {"answer": "yes"})
    assert response.status == 201


def test_a_change_of_an_answer_that_may_have_arrived_is_sent_after_it(site, person):
    page = at_desk(person("nora", expected=["ERR_FAILED"]), "quick")
    sent = []

    def lose_the_first_response(route):
        sent.append(route.request.post_data)
        if len(sent) == 1:
            route.fetch()
            route.abort()
        else:
            route.continue_()

    page.route("**/annotation/", lose_the_first_response)
    press(page, "y")
    not_sent(page, 1)
    wait_until_answerable(page)
    page.keyboard.press("u")
    expect(page.get_by_text("Your answer was: Yes")).to_be_visible()
    press(page, "3")
    desk.try_now(page)
    answered(page, 1)
    comes_true(page, "!Object.keys(localStorage).some((key) => key.includes(':letter:'))")
    assert sent == ['{"answer":"yes"}'] * 2
    assert answers_of(site, "nora") == [["quick", "no", True]]


def test_each_of_the_last_ten_answers_can_be_changed_even_after_a_reload(site, person):
    page = at_desk(desk.without_pause(person("olaf")), "quick")
    for number in range(1, 12):
        press(page, "y")
        answered(page, number)
    at_desk(page, "quick")
    page.get_by_text("Your last answers").click()
    rows = page.locator("[data-part=last] li")
    expect(rows).to_have_count(10)
    rows.last.get_by_role("button", name="Change").click()
    expect(page.get_by_text("Your answer was: Yes")).to_be_visible()
    with page.expect_response("**/api/v1/annotations/*/"):
        press(page, "4")
    expect(rows.last).to_contain_text("Noise")
    assert [answer for _, answer, _ in answers_of(site, "olaf")] == ["yes", "noise", *["yes"] * 9]


def test_undo_can_be_left_without_a_change(site, person):
    page = at_desk(person("pia"), "quick")
    page.keyboard.press("u")
    expect(page.get_by_text("There is no earlier answer to undo")).to_be_visible()
    press(page, "y")
    answered(page, 1)
    wait_until_answerable(page)
    showing = page.evaluate("document.querySelector('clip-desk').showing")
    page.keyboard.press("u")
    page.get_by_role("button", name="Keep my answer").click()
    ready(page)
    assert page.evaluate("document.querySelector('clip-desk').showing") == showing
    assert answers_of(site, "pia") == [["quick", "yes", False]]

"""Whichever way a person goes, the browser holds nothing of theirs, and no answer is lost unsaid."""

import pytest
from playwright.sync_api import expect

from tests.support import desk
from tests.support.browser import comes_true
from tests.support.desk import OFFLINE, answered, answers_of, at_desk, log_in_again, stored_on_device
from tests.support.mutants import mutant

SECRET = "what only I typed"
HOUR = "01:00:01"


@pytest.fixture(scope="module")
def site(browser, site, tmp_path_factory):
    desk.open_unheard(site, tmp_path_factory.mktemp("desk"), quick=20, words=12)
    return site


@pytest.fixture
def person(site, visit):
    return desk.people(site, visit)


@pytest.fixture
def typist(person):
    """Someone with an answer that could not be sent, and the beginning of another one."""

    def start(name, expected=(), **options):
        page = at_desk(person(name, expected=["ERR_FAILED", *expected], **options), "words")
        page.context.route("**/annotation/", lambda route: route.abort())
        page.get_by_label("What is said?").fill(f"{SECRET}, sent")
        page.get_by_role("button", name="Send").click()
        expect(page.get_by_text("Not sent yet, but saved on this device")).to_be_visible()
        page.get_by_label("What is said?").fill(SECRET)
        assert len(stored_on_device(page)) == 2
        page.evaluate("localStorage.setItem('tagger:choices:pause', 'false')")
        return page

    return start


def online(page):
    page.context.unroute("**/annotation/")


def held(page):
    """Everything that the browser stores for the site, as one text, and all that the page has."""
    return str(page.evaluate("Object.entries(localStorage)")) + page.content()


def typed(page):
    return page.evaluate("document.querySelector('textarea')?.value ?? ''")


def button(page, name):
    return page.get_by_role("main").get_by_role("button", name=name)


def is_out(page):
    expect(page.get_by_role("navigation").get_by_role("link", name="Log in")).to_be_visible()


# --- logging out --------------------------------------------------------------------------------


def test_after_logging_out_the_back_button_shows_nothing_of_the_person(person):
    page = person("ines", expected=["ERR_FAILED"])
    page.route("**/site/*.js", lambda route: route.abort())  # the header alone does it
    page.goto("/profile/")
    expect(page.get_by_role("main")).to_contain_text("ines")
    page.goto("/accounts/logout/")
    button(page, "Log out").click()
    is_out(page)
    page.go_back()
    page.go_back()
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    assert "ines" not in page.content()


def test_the_page_says_what_would_be_lost_and_logging_out_clears_it_but_for_choices(typist):
    page = typist("ada")
    page.goto("/accounts/logout/")
    notice = page.locator("[data-part=unsent]")
    expect(notice).to_contain_text("1 answer on this device has not been sent yet.")
    expect(notice).to_contain_text("1 text that you began to write is only on this device.")
    expect(notice).to_contain_text("Logging out deletes what has not been sent yet.")
    button(page, "Log out").click()
    is_out(page)
    assert SECRET not in held(page)
    assert page.evaluate("Object.entries(localStorage)") == [["tagger:choices:pause", "false"]]


@mutant(
    "a browser without scripts clears what was typed",
    "accounts/browser_data.py",
    kept_by="""response["Clear-Site-Data"] = '"cache", "storage"'""",
    broken="""response["Clear-Site-Data"] = '"cache"'""",
)
def test_logging_out_without_scripts_clears_everything_but_the_language(typist):
    page = typist("bert")
    for script in ("account", "way-out"):
        page.context.route(f"**/site/{script}*.js", lambda route: route.abort())
    page.goto("/accounts/logout/")
    page.get_by_role("button", name="Español").click()
    expect(page.get_by_role("heading", name="Cerrar sesión")).to_be_visible()
    button(page, "Cerrar sesión").click()
    expect(page.get_by_role("link", name="Iniciar sesión").first).to_be_visible()
    comes_true(page, "localStorage.length === 0")
    assert {cookie["name"] for cookie in page.context.cookies()} <= {"django_language", "csrftoken"}
    assert page.evaluate("document.documentElement.lang") == "es"


@mutant(
    "where browsers ignore the header, the script clears what was typed",
    "static/js/site/way-out.js",
    kept_by="        forgetWork();\n",
    broken="",
)
def test_without_the_header_the_script_clears_it(typist):
    page = typist("cora")

    def without_header(route):
        answer = route.fetch(max_redirects=0)
        headers = {name: value for name, value in answer.headers.items() if name != "clear-site-data"}
        route.fulfill(response=answer, headers=headers)

    page.goto("/accounts/logout/")
    page.route("**/site/account*.js", lambda route: route.abort())
    page.route("**/accounts/logout/", without_header)
    button(page, "Log out").click()
    is_out(page)
    assert SECRET not in held(page)


@mutant(
    "answers can be sent before logging out",
    "static/js/site/way-out.js",
    kept_by="    await outbox.run();\n",
    broken="",
)
def test_what_waits_can_be_sent_first(site, typist):
    page = typist("dora")
    page.goto("/accounts/logout/")
    online(page)
    button(page, "Send now").click()
    notice = page.locator("[data-part=unsent]")
    expect(notice).not_to_contain_text("answer on this device")
    expect(notice).to_contain_text("1 text that you began to write")
    assert [answer for _, answer, _ in answers_of(site, "dora")] == [f"{SECRET}, sent"]
    button(page, "Log out").click()
    is_out(page)
    assert SECRET not in held(page)


def test_a_refused_answer_is_named_before_logging_out(typist):
    page = typist("dina", expected=["410"])
    page.goto("/accounts/logout/")
    page.context.unroute("**/annotation/")
    page.route(
        "**/annotation/", lambda route: route.fulfill(status=410, json={"detail": "It was withdrawn."})
    )
    button(page, "Send now").click()
    expect(page.locator("[data-part=unsent]")).to_contain_text("Not counted: It was withdrawn.")


@mutant(
    "nothing is deleted before the server has confirmed",
    "static/js/site/way-out.js",
    kept_by="    if (next === UNREACHED) this.#part",
    broken="    forgetWork();\n    if (next === UNREACHED) this.#part",
)
@mutant(
    "a log-out that did not arrive is said",
    "static/js/site/way-out.js",
    kept_by="    } catch {\n      return UNREACHED;\n",
    broken="    } catch {\n      return location.href;\n",
)
def test_without_a_network_the_page_says_so_and_deletes_nothing(typist):
    page = typist("emil", expected=[OFFLINE])
    page.goto("/accounts/logout/")
    page.context.set_offline(True)
    button(page, "Log out").click()
    expect(page.get_by_role("alert")).to_contain_text("You are still logged in, and nothing was deleted.")
    assert len(stored_on_device(page)) == 2
    page.context.set_offline(False)
    page.goto("/profile/")
    expect(page.get_by_role("heading", name="emil")).to_be_visible()


def test_an_error_of_the_server_deletes_nothing_either(typist):
    page = typist("ella", expected=["500"])
    page.goto("/accounts/logout/")
    page.route("**/accounts/logout/", lambda route: route.fulfill(status=500), times=1)
    button(page, "Log out").click()
    expect(page.get_by_role("alert")).to_contain_text("nothing was deleted")
    assert len(stored_on_device(page)) == 2


@mutant(
    "the profile's button asks too",
    "static/js/site/way-out.js",
    kept_by="    if (!this.#isUntold()) return void this.#go();\n",
    broken="    return void this.#go();\n",
)
def test_the_button_on_the_profile_asks_if_anything_waits(typist):
    page = typist("fred")
    page.goto("/profile/")
    button(page, "Log out").click()
    expect(page.get_by_text("1 answer on this device has not been sent yet.")).to_be_visible()
    button(page, "Log out").click()
    is_out(page)


def test_the_button_on_the_profile_logs_out_at_once_if_nothing_waits(person):
    page = person("fine")
    page.goto("/profile/")
    button(page, "Log out").click()
    is_out(page)


def test_what_another_window_adds_meanwhile_is_asked_about_too(typist):
    page = typist("gina")
    page.goto("/accounts/logout/")
    expect(page.locator("[data-part=unsent]")).to_contain_text("1 answer")
    key = page.evaluate("Object.keys(localStorage).find((key) => key.includes(':letter:'))")
    page.evaluate("(key) => localStorage.setItem(key + '0', localStorage.getItem(key))", key)
    button(page, "Log out").click()
    expect(page.locator("[data-part=unsent]")).to_contain_text("2 answers on this device")
    button(page, "Log out").click()
    is_out(page)


@mutant(
    "other windows show nothing after a log-out",
    "static/js/site/way-out.js",
    kept_by="      sayLoggedOut();\n",
    broken="",
)
def test_other_windows_show_nothing_after_a_log_out(typist):
    page = typist("hugo")
    other = page.context.new_page()
    other.goto("/accounts/logout/")
    button(other, "Log out").click()
    is_out(other)
    expect(page.get_by_label("Pseudonym")).to_be_visible()
    assert SECRET not in held(page)


def test_going_back_after_a_log_out_shows_nothing(typist):
    page = typist("ida")
    page.goto("/accounts/logout/")
    button(page, "Log out").click()
    is_out(page)
    page.go_back()
    page.go_back()
    expect(page.get_by_label("Pseudonym")).to_be_visible()
    assert typed(page) == "" and SECRET not in held(page)


@mutant(
    "a page that a browser kept in memory is loaded again",
    "static/js/site/account.js",
    kept_by='  window.addEventListener("pageshow", ({ persisted }) => persisted && location.reload());\n',
    broken="",
)
def test_a_page_that_the_browser_kept_in_memory_is_loaded_again(person):
    """Under automation Chromium keeps none, so this only tells the page that it was kept."""
    page = person("ivy")
    page.evaluate("document.body.dataset.old = 1")
    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    expect(page.locator("body[data-old]")).to_have_count(0)


# --- leaving ------------------------------------------------------------------------------------


@mutant(
    "leaving clears the choices of this device too",
    "static/js/site/way-out.js",
    kept_by='      if (this.#form.dataset.wayOut === "leave") forgetEverything();\n',
    broken="      if (false) forgetEverything();\n",
)
def test_leaving_says_what_would_be_lost_and_clears_everything(typist):
    page = typist("jens")
    other = page.context.new_page()
    other.goto("/leave/")
    expect(other.locator("[data-part=unsent]")).to_contain_text("Leaving deletes what has not been sent yet.")
    other.get_by_label("Remove them too").check()
    button(other, "Leave permanently").click()
    expect(other.get_by_role("heading", name="Erasure receipt")).to_be_visible()
    assert other.evaluate("localStorage.length") == 0
    expect(page.get_by_label("Pseudonym")).to_be_visible()
    assert SECRET not in held(page)


def test_leaving_without_a_network_deletes_nothing_and_says_so(typist):
    page = typist("jana", expected=[OFFLINE])
    page.goto("/leave/")
    page.get_by_label("Keep my answers without me").check()
    page.context.set_offline(True)
    button(page, "Leave permanently").click()
    expect(page.get_by_role("alert")).to_contain_text("You are still logged in, and nothing was deleted.")
    assert len(stored_on_device(page)) == 2


# --- sessions that end by themselves ---------------------------------------------------------------


def end_session(page):
    """As when it expired, or was ended elsewhere."""
    page.context.clear_cookies()
    online(page)
    desk.try_now(page)
    expect(page.get_by_text("You are logged out")).to_be_visible()


@mutant(
    "what was typed is hidden once the session is over",
    "static/css/desk.css",
    kept_by="clip-desk[data-ended] > .desk-screen > :not(.desk-notes, .desk-head),\n",
    broken="clip-desk[data-gone] > .desk-screen > :not(.desk-notes, .desk-head),\n",
)
def test_once_the_session_is_over_the_page_is_hidden_until_its_owner_is_back(site, typist):
    page = typist("kurt", expected=["401"])
    end_session(page)
    expect(page.get_by_label("What is said?")).to_be_hidden()
    expect(page.get_by_text("Your last answers")).to_be_hidden()
    assert len(stored_on_device(page)) == 2
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Log in again").click()
    expect(opened.value.get_by_text("Whoever was logged in here last has answers")).to_be_visible()
    log_in_again(opened.value, "kurt")
    page.bring_to_front()
    desk.try_now(page)
    answered(page, 1)
    expect(page.get_by_label("What is said?")).to_be_visible()
    assert typed(page) == SECRET
    assert [answer for _, answer, _ in answers_of(site, "kurt")] == [f"{SECRET}, sent"]


def test_what_waits_can_be_deleted_once_the_session_is_over(site, typist):
    page = typist("lars", expected=["401"])
    end_session(page)
    button(page, "Delete now").click()
    expect(page.get_by_label("Pseudonym")).to_be_visible()
    assert SECRET not in held(page) and answers_of(site, "lars") == []


@mutant(
    "an hour after the session ended its work is deleted",
    "static/js/desk/clip-desk.js",
    kept_by="    this.#late = setTimeout(() => this.#forget(), endSession());\n",
    broken="    endSession();\n",
)
def test_an_hour_after_the_session_ended_what_waits_is_deleted(typist):
    page = typist("mona", expected=["401"])
    page.clock.install()
    page.reload()
    end_session(page)
    page.clock.fast_forward("00:59:00")
    assert len(stored_on_device(page)) == 2
    page.clock.fast_forward("00:01:01")
    expect(page.get_by_label("Pseudonym")).to_be_visible()
    assert SECRET not in held(page)


def test_who_comes_back_within_the_hour_keeps_what_they_typed(typist):
    page = typist("nina", expected=["401"])
    page.clock.install()
    page.reload()
    end_session(page)
    page.clock.fast_forward("00:59:00")
    other = page.context.new_page()
    other.goto("/accounts/login/")
    log_in_again(other, "nina")
    desk.try_now(page)
    answered(page, 1)
    page.clock.fast_forward(HOUR)
    assert typed(page) == SECRET


@mutant(
    "any page deletes work whose owner did not come back",
    "static/js/site/account.js",
    kept_by='setTimeout(() => forget("late"), endSession());',
    broken="endSession();",
)
def test_a_later_visit_finds_what_waits_and_after_an_hour_deletes_it_and_says_so(typist):
    """The browser was closed while the session was open; it has ended since."""
    page = typist("olaf")
    context = page.context
    page.close()
    context.clear_cookies()
    later = context.new_page()
    later.goto("/")
    expect(later.get_by_text("Whoever was logged in here last has answers on this device")).to_be_visible()
    assert len(stored_on_device(later)) == 2
    later.evaluate("localStorage.setItem('tagger:ended', Date.now() - 3600 * 1000)")
    later.goto("/accounts/login/")
    expect(later.get_by_text("Answers that were not sent were deleted from this device")).to_be_visible()
    assert SECRET not in held(later)


def test_a_later_visit_can_delete_what_waits(typist):
    page = typist("otto")
    page.context.clear_cookies()
    page.goto("/")
    button(page, "Delete now").click()
    expect(page.get_by_text("Deleted from this device.")).to_be_visible()
    assert SECRET not in held(page)


def test_an_open_page_deletes_what_waits_after_an_hour(typist):
    page = typist("orla")
    page.context.clear_cookies()
    page.clock.install()
    page.goto("/")
    expect(page.get_by_text("Whoever was logged in here last")).to_be_visible()
    page.clock.fast_forward(HOUR)
    expect(page.get_by_text("Answers that were not sent were deleted")).to_be_visible()
    assert SECRET not in held(page)


ERASE = """
from django.utils import timezone
from accounts.models import User
from tagger.privacy import erasure
erasure.erase_account(User.objects.get_by_natural_key({!r}), True, timezone.now())
"""


def test_an_account_erased_elsewhere_leaves_nothing_here(site, typist):
    page = typist("paul", expected=["401"])
    page.clock.install()
    page.reload()
    site.manage("shell", "-c", ERASE.format("paul"))
    online(page)
    desk.try_now(page)
    expect(page.get_by_text("You are logged out")).to_be_visible()
    expect(page.get_by_label("What is said?")).to_be_hidden()
    page.clock.fast_forward(HOUR)
    expect(page.get_by_label("Pseudonym")).to_be_visible()
    assert SECRET not in held(page)


# --- other people ----------------------------------------------------------------------------------


@mutant(
    "a browser keeps no one's work but that of the person who is logged in",
    "static/js/site/account.js",
    kept_by="  forgetWork({ exceptOf: account });\n",
    broken="",
)
def test_another_persons_login_deletes_what_waits_after_the_page_said_so(site, person, typist):
    person("rosa").context.close()
    page = typist("rolf", expected=["401"])
    page.context.clear_cookies()
    page.goto("/accounts/login/")
    expect(page.get_by_text("or when someone else logs in")).to_be_visible()
    log_in_again(page, "rosa")  # on the list of campaigns, not only at the desk
    comes_true(page, "!Object.keys(localStorage).some((key) => key.startsWith('tagger:work:'))")
    assert answers_of(site, "rolf") == answers_of(site, "rosa") == []


@mutant(
    "other windows show nothing of a person once another has logged in",
    "static/js/site/account.js",
    kept_by="  channel.postMessage(account);\n",
    broken="",
)
def test_other_windows_show_nothing_of_a_person_once_another_has_logged_in(site, person, typist):
    person("sven").context.close()
    page = typist("suse", expected=["401"])
    other = page.context.new_page()
    page.context.clear_cookies()
    other.goto("/accounts/login/")
    log_in_again(other, "sven")
    expect(page.get_by_label("What is said?")).to_have_value("")
    assert SECRET not in held(page)
    assert page.evaluate("document.body.dataset.account") == other.evaluate("document.body.dataset.account")

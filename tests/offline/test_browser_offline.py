"""Without a network the desk opens with what is lent, and nothing of a voice is kept longer than that."""

import time
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from playwright.sync_api import expect

from tests.support import desk
from tests.support.browser import comes_true
from tests.support.desk import answered, answers_of, at_desk, listen, log_in_again, press, ready
from tests.support.line import Line
from tests.support.mutants import mutant

CUT = ("ERR_CONNECTION_REFUSED", "ERR_CONNECTION_RESET", "ERR_EMPTY_RESPONSE", "ERR_INTERNET_DISCONNECTED")
LEASE = timedelta(minutes=15)


@pytest.fixture(scope="module")
def site(browser, site, tmp_path_factory):
    desk.open_unheard(site, tmp_path_factory.mktemp("desk"), quick=20, words=7)
    site.manage("shell", "-c", EXAMPLE)
    return site


EXAMPLE = """
from django.utils import timezone
from datasets.models import Task
from tagger.desk import examples
task = Task.objects.filter(campaign__slug="words").latest("pk")
task.status, task.answer, task.settled_at = "settled", "hey june", timezone.now()
task.save()
examples.choose(task, "")
"""


@pytest.fixture
def line(site):
    with Line(site) as line:
        yield line


@pytest.fixture
def at_kept_desk(line, visit):
    """Someone at the desk, once its page and five sounds are on the device."""

    def start(name, slug="quick", **options):
        given = {"service_workers": "allow", "expected": CUT} | options
        page = desk.people(line, visit)(name, **given)
        page.evaluate("navigator.serviceWorker.ready.then(() => true)")
        at_desk(page, slug)
        comes_true(page, "Object.keys(localStorage).filter((key) => key.includes(':sound:')).length >= 4")
        comes_true(page, "Object.keys(localStorage).some((key) => key.includes(':page:'))")
        return page

    return start


def kept(page):
    """The names of what is kept, in the list and as sealed bytes: ({"page:/tag/quick/", "sound:7"}, {…})."""
    listed = page.evaluate("Object.keys(localStorage)")
    found = [key for key in listed if ":sound:" in key or ":page:" in key]
    return short(found), short(page.evaluate(f"({IN_TABLE})((table) => table.getAllKeys())"))


def short(names):
    return {name.split(":", 3)[3] for name in names}


IN_TABLE = """(ask) => new Promise((tell) => {
    const opening = indexedDB.open("tagger", 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore("sealed");
    opening.onsuccess = () => {
        const asked = ask(opening.result.transaction("sealed").objectStore("sealed"));
        asked.onsuccess = () => { opening.result.close(); tell(asked.result); };
    };
})"""


def comes_to_be_kept(page, expected):
    """Bytes are removed a moment after what names them."""
    deadline = time.monotonic() + 15
    while (found := kept(page)) != (expected, expected) and time.monotonic() < deadline:
        page.evaluate("() => new Promise(requestAnimationFrame)")
    assert found == (expected, expected)


def showing(page):
    return page.evaluate("document.querySelector('clip-desk').showing")


def says_offline(page):
    expect(page.get_by_role("heading", name="No connection")).to_be_visible()
    assert page.locator("clip-desk, [data-account]").count() == 0


# --- opening it -----------------------------------------------------------------------------------


@mutant(
    "without a network the page of the desk opens",
    "tagger/offline/worker.js",
    kept_by="    const response = await offline(event.request);\n",
    broken="    const response = null;\n",
)
@mutant(
    "without a network lent clips can be heard after a reload",
    "static/js/desk/sync/lent-clips.js",
    kept_by="isUnreached(error) && lent ? await this.#kept.sound(id) : null",
    broken="null",
)
def test_with_the_server_gone_a_reload_opens_the_desk_and_each_answer_arrives_once(site, line, at_kept_desk):
    page = at_kept_desk("ada")
    line.cut()
    page.reload()
    ready(page)
    expect(page.get_by_text("No connection. The next clips come when you are back online.")).to_be_visible()
    listen(page)
    first = showing(page)
    press(page, "1")
    page.goto("/ledger/")
    says_offline(page)
    line.mend()
    expect(page.get_by_role("heading", name="Ledger")).to_be_visible()  # by itself
    page.wait_for_load_state("networkidle")
    line.cut()
    page.reload()
    says_offline(page)
    expect(page.get_by_text("1 answer on this device has not been sent yet.")).to_be_visible()
    page.get_by_role("link", name="Go on with the loaded clips").click()
    ready(page)
    assert showing(page) != first
    press(page, "3")
    expect(page.get_by_text("Not sent yet, but saved on this device: 2")).to_be_visible()
    line.mend()
    desk.try_now(page)
    answered(page, 2)
    expect(page.get_by_text("No connection")).to_be_hidden()
    press(page, "4")
    answered(page, 3)
    assert [answer for _, answer, _ in answers_of(site, "ada")] == ["yes", "no", "noise"]


@mutant(
    "a form that is sent without a network stays on the page with what was typed",
    "static/js/site/not-sent.js",
    kept_by="  event.preventDefault();\n",
    broken="",
)
@mutant(
    "an example that could not be loaded can be heard once there is a network again",
    "static/js/player/clip-player.js",
    kept_by="    if (this.audio.error) this.audio.load();",
    broken="    //",
)
def test_what_was_typed_stays_and_what_cannot_be_heard_or_sent_without_a_network_is_said(site, at_kept_desk):
    page = at_kept_desk("bert", "words")
    page.get_by_label("What is said?").fill("hey june")
    page.context.set_offline(True)
    page.reload()
    ready(page)
    hear_example(page)
    expect(page.get_by_text("This example cannot be heard right now.")).to_be_visible()
    expect(page.get_by_label("What is said?")).to_have_value("hey june")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("Not sent yet, but saved on this device: 1")).to_be_visible()
    page.context.set_offline(False)
    answered(page, 1)
    hear_example(page)
    comes_true(page, "document.querySelector('.examples audio').currentTime > 0")
    expect(page.get_by_text("This example cannot be heard right now.")).to_be_hidden()
    assert answers_of(site, "bert") == [["words", "hey june", False]]
    make_a_team_without_a_network(page, "Night owls")


def hear_example(page):
    page.locator(".examples").get_by_role("button", name="Play").click()


def make_a_team_without_a_network(page, name):
    """It is not sent, the name stays in its box, and sending it again with a network makes the team."""
    page.goto("/teams/")
    page.get_by_label("Name of the team").fill(name)
    page.context.set_offline(True)
    page.get_by_role("button", name="Make the team").click()
    expect(page.get_by_role("dialog", name="Nothing was sent")).to_be_visible()
    page.get_by_role("button", name="Close").press("Enter")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.get_by_role("button", name="Make the team")).to_be_focused()
    page.context.set_offline(False)
    expect(page.get_by_label("Name of the team")).to_have_value(name)
    page.get_by_role("button", name="Make the team").click()
    expect(page.get_by_role("heading", name=name)).to_be_visible()


@mutant(
    "without a network the mixed queue opens with the campaign whose clips are lent",
    "static/js/desk/next-desk.js",
    kept_by="  serve(page); ",
    broken="  ",
)
def test_the_mixed_queue_goes_on_without_a_network_and_after_a_reload(site, at_kept_desk):
    page = at_kept_desk("mara", "mixed")
    page.context.set_offline(True)
    press(page, "1")
    page.reload()
    press(page, "3")
    expect(page.get_by_text("Not sent yet, but saved on this device: 2")).to_be_visible()
    page.context.set_offline(False)
    answered(page, 2)
    page.evaluate(
        "() => { const { set } = document.querySelector('clip-desk'); while (set.left > 1) set.add(); }"
    )
    press(page, "4")
    page.get_by_role("button", name="Continue").press("Enter")
    words = page.get_by_label("What is said?")
    expect(words).to_be_focused()
    comes_true(page, "Object.keys(localStorage).filter((key) => key.includes(':sound:')).length >= 3")
    page.context.set_offline(True)
    page.reload()
    ready(page)
    words.fill("good night")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("Not sent yet, but saved on this device: 1")).to_be_visible()
    page.context.set_offline(False)
    answered(page, 1)
    given = [[campaign, answer] for campaign, answer, _ in answers_of(site, "mara")]
    assert given == [["quick", "yes"], ["quick", "no"], ["quick", "noise"], ["words", "good night"]]


# --- how long it is kept ----------------------------------------------------------------------------


@mutant(
    "the sound of a clip is not kept once it was answered",
    "static/js/desk/letters.js",
    kept_by="    forgetSound(this.#store, letter.assignment);\n",
    broken="",
)
@mutant(
    "what is kept of a voice is sealed",
    "static/js/desk/sync/sealed.js",
    kept_by='await crypto.subtle.encrypt({ name: "AES-GCM", iv }, await keyOf(secret, salt), bytes)',
    broken="bytes",
)
def test_an_answer_a_skip_and_a_report_remove_the_sound_and_the_rest_is_sealed(site, at_kept_desk):
    page = at_kept_desk("cora")
    page.context.set_offline(True)
    given = set()
    for act in ("y", "k", "r"):
        given.add(f"sound:{showing(page)}")
        press(page, act)
        if act == "r":
            page.get_by_role("button", name="Offensive").click()
        ready(page)
    listed, _ = kept(page)
    assert not listed & given
    comes_to_be_kept(page, listed)
    starts = page.evaluate(f"""({IN_TABLE})((table) => table.getAll()).then((all) =>
        all.map((each) => String.fromCharCode(...new Uint8Array(each).slice(0, 15))))""")
    assert starts and not [each for each in starts if each.startswith(("RIFF", "<!doctype html>"))]


@mutant(
    "nothing is kept longer than it is lent, although the browser was closed",
    "static/js/desk/sync/kept.js",
    kept_by="now < entry.until",
    broken="true",
)
def test_after_the_lease_the_next_start_removes_everything_before_it_shows_anything(at_kept_desk):
    page = at_kept_desk("dora")
    context = page.context
    page.close()
    context.set_offline(True)
    later = context.new_page()
    later.clock.install(time=datetime.now(UTC) + LEASE + timedelta(seconds=30))
    later.goto("/tag/quick/")
    says_offline(later)
    comes_to_be_kept(later, set())


@mutant(
    "nothing is kept longer than it is lent in a page that stays open",
    "static/js/desk/sync/kept-desk.js",
    kept_by="    setTimeout(sweep, entry.until - Date.now());\n",
    broken="",
)
def test_a_page_that_stays_open_removes_what_is_not_lent_any_more(site, line, visit):
    page = desk.people(line, visit)("egon", service_workers="allow", expected=CUT)
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    page.clock.install()
    page.goto("/tag/quick/")
    comes_true(page, "Object.keys(localStorage).some((key) => key.includes(':page:'))")
    page.context.set_offline(True)
    page.clock.fast_forward((LEASE + timedelta(seconds=30)).seconds * 1000)
    comes_to_be_kept(page, set())


@mutant(
    "of a clip that was taken back nothing is kept",
    "static/js/desk/sync/lent-clips.js",
    kept_by="    kept.keepOnly(lent.map(({ id }) => id));\n",
    broken="",
)
def test_what_the_server_does_not_lend_any_more_is_removed_when_the_desk_is_opened(site, at_kept_desk):
    page = at_kept_desk("fred")
    gone = page.locator("[data-part=lent] li").nth(0).get_attribute("data-id")
    assert f"sound:{gone}" in kept(page)[0]
    site.manage("shell", "-c", HIDE.format(gone))
    page.goto("/tag/quick/")
    ready(page)
    assert f"sound:{gone}" not in kept(page)[0]


HIDE = """
from django.utils import timezone
from datasets.models import Clip
Clip.objects.filter(tasks__assignments=({})).update(hidden_at=timezone.now())
"""


# --- log-out, and other accounts --------------------------------------------------------------------


def test_logging_out_leaves_nothing_on_the_device_not_even_the_worker(at_kept_desk):
    page = at_kept_desk("gina")
    page.goto("/profile/")
    page.get_by_role("main").get_by_role("button", name="Log out").click()
    expect(page.get_by_role("navigation").get_by_role("link", name="Log in")).to_be_visible()
    comes_to_be_kept(page, set())
    assert page.evaluate("navigator.serviceWorker.getRegistrations().then((all) => all.length)") == 0
    assert page.evaluate("caches.keys()") == []


@mutant(
    "nothing of a voice is kept once the session is over",
    "static/js/site/account.js",
    kept_by="  forgetKept();\n",
    broken="",
)
def test_a_session_that_ended_elsewhere_leaves_nothing_either(at_kept_desk):
    page = at_kept_desk("hugo", expected=(*CUT, "401"))  # for the last sound, if it was still on its way
    page.context.clear_cookies(name="sessionid")
    page.goto("/")
    comes_to_be_kept(page, set())


@mutant(
    "nothing that one account kept opens after another log-in",
    "static/js/desk/sync/sealed.js",
    kept_by="new TextEncoder().encode(secret)",
    broken='new TextEncoder().encode("the same")',
)
def test_another_log_in_opens_nothing_even_if_no_script_of_its_pages_ran(line, at_kept_desk):
    """The new cookie is all that is left of the other log-in before the network went."""
    page = at_kept_desk("ines")
    page.context.add_cookies([{"name": "csrftoken", "value": "x" * 32, "url": line.url}])
    line.cut()
    page.reload()
    says_offline(page)
    comes_to_be_kept(page, set())


def test_another_account_finds_nothing_of_the_one_before(at_kept_desk):
    page = at_kept_desk("jana")
    at_kept_desk("jens").context.close()
    page.context.clear_cookies()
    page.goto("/accounts/login/")
    log_in_again(page, "jens")
    comes_to_be_kept(page, set())
    page.context.set_offline(True)
    page.goto("/tag/quick/")
    says_offline(page)


# --- the worker -------------------------------------------------------------------------------------


@mutant(
    "the service worker keeps no page of a person",
    "tagger/offline/worker.js",
    kept_by="      event.waitUntil(remember(",
    broken="      (await caches.open(CACHE)).put(event.request, response.clone());\n"
    "      event.waitUntil(remember(",
)
def test_the_worker_keeps_all_files_of_the_desk_and_nothing_else(at_kept_desk):
    page = at_kept_desk("kurt")
    loaded = set(page.evaluate(LOADED))
    page.goto("/tag/words/")
    ready(page)
    loaded |= set(page.evaluate(LOADED))
    held = set(page.evaluate(HELD))
    assert len(loaded) > 30 and loaded - held == set()
    assert {path.split("/")[1] for path in held} == {"static", "offline"}
    stored = {path for path in held if path.startswith("/offline/")}
    assert stored == {f"/offline/{each}" for each in ("en/", "de/", "es/", "fr/", "ar/", "language")}


LOADED = """performance.getEntriesByType("resource").map(({ name }) => new URL(name).pathname)
    .filter((path) => path.startsWith("/static/") && !path.endsWith(".png"))"""
HELD = """(async () => {
    const caches_ = await Promise.all((await caches.keys()).map((name) => caches.open(name)));
    const all = await Promise.all(caches_.map((cache) => cache.keys()));
    return all.flat().map(({ url }) => new URL(url).pathname);
})()"""


@mutant(
    "a new release replaces the old one as a whole",
    "tagger/offline/worker.js",
    kept_by="await caches.delete(name);",
    broken="",
)
@mutant(
    "a page opens only together with the files of its own release",
    "static/js/desk/sync/kept-desk.js",
    kept_by="  if (!(await hasAllFiles(page))) return null;\n",
    broken="",
)
def test_a_new_release_replaces_the_old_one_and_no_page_opens_without_its_own_files(at_kept_desk):
    page = at_kept_desk("lars")
    page.evaluate("""async () => {
        await caches.open("tagger:release:older");
        await (await navigator.serviceWorker.getRegistration()).unregister();
    }""")
    page.reload()
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    comes_true(page, "navigator.serviceWorker.controller")
    [name] = page.evaluate("caches.keys()")
    page.evaluate(
        """async (name) => {
        const cache = await caches.open(name);
        const [script] = (await cache.keys()).filter(({ url }) => url.includes("clip-desk"));
        await cache.delete(script);
    }""",
        name,
    )
    page.context.set_offline(True)
    page.reload()
    says_offline(page)


def test_the_worker_and_its_page_are_of_one_release_and_asked_for_each_time(site):
    worker = httpx.get(f"{site.url}/worker.js")
    page = httpx.get(f"{site.url}/offline/ar/")
    assert f'"version": "{page.headers["Tagger-Release"]}"' in worker.text
    assert worker.headers["Service-Worker-Allowed"] == "/"
    assert worker.headers["Cache-Control"] == page.headers["Cache-Control"] == "public, no-cache"
    assert worker.headers["Content-Type"].startswith("text/javascript")
    assert '<html lang="ar" dir="rtl">' in page.text
    for rule in ("worker-src 'self'", "manifest-src 'self'"):
        assert rule in page.headers["Content-Security-Policy"]

"""The main job in a real browser, on a site without DEBUG: sign up, listen, answer, see it counted."""

import json
import re

import pytest
from playwright.sync_api import expect

from tests.support import sounds
from tests.support.browser import PHONE, comes_true, sign_up, sounds_on, too_small, too_wide
from tests.support.desk import JUNIPER, PATIENT, TITLES, WRITE, answered, listen, people, prefetched
from tests.support.people import PASSWORD


@pytest.fixture(scope="module")
def published(browser, site, tmp_path_factory):
    folder = tmp_path_factory.mktemp("published")
    open_campaign(site, "juniper", folder, 14, "--kind", "wake-word", "--wake-word", "hey juniper")
    open_campaign(site, "sentences", folder, 5, "--kind", "transcription")
    return site


def open_campaign(site, slug, folder, clips, *options):
    site.manage("create_campaign", slug, "--language", "en", *PATIENT, *options)
    (folder / slug).mkdir()
    for n in range(clips):
        samples = sounds.babble(seed=len(slug) * 100 + n, seconds=1.2)
        (folder / slug / f"{n}.wav").write_bytes(sounds.in_format("wav", samples))
    consent = ("--contributor", "made", "--consent-reference", "made by a program", "--licence", "MIT")
    done = site.manage("import_clips", folder / slug, "--campaign", slug, *consent)
    assert f"{clips} added" in done.stdout


@pytest.fixture
def volunteer(published, visit):
    """Logs a new volunteer in, up to the list of campaigns."""
    return people(published, visit)


def open_desk(page, question):
    page.get_by_role("link", name=f"Listen {TITLES[question]}").click()
    expect(page.get_by_role("heading", name=question)).to_be_visible()
    wait_until_answerable(page)


def wait_until_answerable(page):
    """Wait until the next clip was heard to its end, so that it may be answered."""
    expect(page.locator("clip-desk:defined")).to_be_attached()
    expect(page.locator("clip-desk [aria-disabled]")).to_have_count(0)


def wait_for_clip(page):
    """Wait until the next clip is shown. It may not play yet: a browser plays nothing before a press."""
    expect(page.locator("clip-desk:defined")).to_be_attached()
    expect(page.get_by_role("button", name="Skip")).not_to_have_attribute("aria-disabled", "true")


def expect_votes(page, number):
    """The number of votes that the server shows on the list of campaigns."""
    page.goto("/tag/")
    expect(page.locator("#answers")).to_contain_text(f"You have given {number} answer")


def answers_of(site, name):
    """[[campaign, answer], …] in the order they were given, from the database."""
    code = f"""
import json
from accounts.models import User
given = User.objects.get_by_natural_key({name!r}).annotations.order_by("id")
print(json.dumps([[row.task.campaign.slug, row.answer] for row in given]))
"""
    return json.loads(site.manage("shell", "-v", "0", "-c", code).stdout)


def test_from_signing_up_to_votes_in_the_database(published, visit):
    page = sign_up(visit(base_url=published.url), "ann")
    open_desk(page, JUNIPER)
    page.evaluate("window.stillThisPage = true")
    heard = [listen(page)]
    page.get_by_role("button", name="Yes").click()
    wait_until_answerable(page)
    heard.append(listen(page))
    page.keyboard.press("3")
    wait_until_answerable(page)
    heard.append(listen(page))
    page.keyboard.press("4")
    answered(page, 3)
    wait_until_answerable(page)
    heard.append(listen(page))
    page.get_by_role("button", name="Skip").click()
    wait_until_answerable(page)
    heard.append(listen(page))
    page.keyboard.press("r")
    page.get_by_role("button", name="Offensive").click()
    expect(page.get_by_text("Reviewers are told about this clip")).to_be_visible()
    wait_until_answerable(page)
    assert len({*heard, listen(page)}) == 6
    answered(page, 3)
    assert page.evaluate("window.stillThisPage")

    page.get_by_role("link", name="All campaigns").click()
    expect(page.locator("#answers")).to_contain_text("You have given 3 answers")
    open_desk(page, WRITE)
    listen(page)
    box = page.get_by_label("What is said?")
    box.fill("switch the light on")
    page.get_by_role("button", name="Send").click()
    answered(page, 1)
    wait_until_answerable(page)
    expect(box).to_be_focused()
    expect(box).to_have_value("")
    box.press_sequentially("k, r and 1 are letters here")
    page.keyboard.press("Control+Enter")
    answered(page, 2)
    wait_until_answerable(page)
    page.get_by_role("button", name="No one speaks").click()
    answered(page, 3)
    expect_votes(page, 6)
    expect(page.get_by_text("you gave 3 answers")).to_have_count(2)
    assert answers_of(published, "ann") == [
        *(["juniper", answer] for answer in ("yes", "no", "noise")),
        *(["sentences", text] for text in ("switch the light on", "k, r and 1 are letters here", "")),
    ]


def test_a_reported_clip_is_offered_to_no_one_else(volunteer):
    page, other = volunteer("bob"), volunteer("cleo")
    open_desk(page, JUNIPER)
    total = int(re.search(r"of (\d+) clips", visible_text(other, "/tag/", TITLES[JUNIPER]))[1])
    page.keyboard.press("r")
    expect(page.get_by_role("button", name="Offensive")).to_be_visible()
    page.keyboard.press("y")  # the menu is open: not an answer
    with page.expect_response("**/report/"):
        page.get_by_role("button", name="Offensive").click()
    offered = other.evaluate(BORROW_ALL, "/api/v1/campaigns/juniper/assignments/")
    assert 0 < offered < total
    answered(page, 0)


BORROW_ALL = """async (address) => {
    const token = document.cookie.match(/csrftoken=(\\w+)/)[1];
    const headers = { "Content-Type": "application/json", "X-CSRFToken": token };
    for (let lent = 0; ; ) {
        const answer = await fetch(address, { method: "POST", headers, body: '{"count": 10}' });
        const { assignments } = await answer.json();
        if (!assignments.length) return lent;
        lent += assignments.length;
    }
}"""


def visible_text(page, address, title):
    page.goto(address)
    return page.get_by_role("listitem").filter(has_text=title).inner_text()


def test_answers_given_without_a_connection_arrive_once_when_it_is_back(volunteer):
    page = volunteer("dana", expected=["ERR_INTERNET_DISCONNECTED"])
    open_desk(page, JUNIPER)
    prefetched(page, 4)
    page.context.set_offline(True)
    page.keyboard.press("y")
    expect(page.get_by_text("Not sent yet")).to_contain_text("1")
    wait_until_answerable(page)
    listen(page)
    page.keyboard.press("3")
    expect(page.get_by_text("Not sent yet")).to_contain_text("2")
    answered(page, 0)
    # Nothing is lost by leaving the page, so it does not ask for confirmation.
    assert page.evaluate("window.dispatchEvent(new Event('beforeunload', { cancelable: true }))")
    page.context.set_offline(False)
    answered(page, 2)
    expect(page.get_by_text("Not sent yet")).to_be_hidden()
    expect_votes(page, 2)


def test_an_answer_whose_confirmation_was_lost_is_sent_again_and_counted_once(volunteer):
    page = volunteer("emil", expected=["ERR_FAILED", "502"])
    open_desk(page, JUNIPER)
    sent = []

    def lose_two(route):
        sent.append(route.request.post_data)
        if len(sent) == 1:
            route.fetch()
            route.abort()
        elif len(sent) == 2:
            route.fulfill(status=502)
        else:
            route.continue_()

    page.route("**/annotation/", lose_two)
    page.keyboard.press("2")
    page.locator("[data-part=try-now]").dispatch_event("click")  # it may have been retried already
    answered(page, 1)
    assert sent == ['{"answer":"similar"}'] * 3
    expect_votes(page, 1)


def test_logging_in_again_after_a_lost_session_loses_no_answer(volunteer):
    page = volunteer("fritz", expected=["401"])
    open_desk(page, JUNIPER)
    prefetched(page, 4)
    page.context.clear_cookies()
    page.keyboard.press("3")
    expect(page.get_by_text("You are logged out")).to_be_visible()
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Log in again").click()
    second = opened.value
    second.get_by_label("Pseudonym").fill("fritz")
    second.get_by_label("Password").fill(PASSWORD)
    second.get_by_role("main").get_by_role("button", name="Log in", exact=True).click()
    expect(second.get_by_role("heading", name="Choose what to listen to")).to_be_visible()
    second.close()
    answered(page, 1)
    expect(page.get_by_text("You are logged out")).to_be_hidden()
    expect_votes(page, 1)


def test_the_reason_of_a_refused_answer_is_shown_and_it_is_not_counted(volunteer):
    page = volunteer("gerd", expected=["409"])
    open_desk(page, JUNIPER)
    detail = "You already gave this clip a different answer."
    page.route("**/annotation/", lambda route: route.fulfill(status=409, json={"detail": detail}))
    page.keyboard.press("3")
    expect(page.get_by_text(f"Not counted: {detail}")).to_be_visible()
    answered(page, 0)
    page.unroute("**/annotation/")
    wait_until_answerable(page)
    page.keyboard.press("3")
    answered(page, 1)


def test_a_double_click_gives_one_answer_and_the_space_bar_never_votes(volunteer):
    page = volunteer("hedy")
    open_desk(page, JUNIPER)
    page.get_by_role("button", name="Similar").dblclick()
    wait_until_answerable(page)
    listen(page)
    page.evaluate("document.querySelector('audio').pause()")
    page.evaluate("document.querySelector('audio').currentTime = 0")
    page.keyboard.press("Space")
    sounds_on(page)
    answered(page, 1)
    expect_votes(page, 1)


def test_a_reload_continues_with_the_lent_clips(volunteer):
    page = volunteer("ines")
    open_desk(page, JUNIPER)
    prefetched(page, 4)
    lent = page.locator("[data-part=lent] li")
    page.reload()
    wait_for_clip(page)
    before = lent.count()
    page.reload()
    wait_for_clip(page)
    assert lent.count() == before > 1


LOG_REFUSED_PLAY = """{
    const { play } = HTMLMediaElement.prototype;
    HTMLMediaElement.prototype.play = function () {
        const playing = play.call(this);
        playing.catch((error) => console.info(error.name));
        return playing;
    };
}"""


def test_if_the_browser_requires_a_gesture_to_play_the_page_asks_for_one(volunteer, visit, published):
    session = volunteer("jan").context.storage_state()
    page = visit(base_url=published.url, storage_state=session)
    page.add_init_script(LOG_REFUSED_PLAY)
    # It waits for a message of the page, because looking anything up in the page counts as a gesture.
    with page.expect_console_message(lambda message: message.text == "NotAllowedError"):
        page.goto("/tag/juniper/")
    expect(page.get_by_role("status").filter(has_text="Press play")).to_be_visible()
    expect(page.get_by_role("button", name="Noise")).to_have_attribute("aria-disabled", "true")
    listen(page)
    expect(page.get_by_text("Press play")).to_have_count(0)
    wait_until_answerable(page)
    page.get_by_role("button", name="No", exact=False).first.click()
    wait_until_answerable(page)
    sounds_on(page)


def test_clips_can_be_tagged_without_javascript(volunteer):
    page = volunteer("kim", expected=["400"], java_script_enabled=False)
    page.goto("/tag/juniper/")
    expect(page.locator("audio[controls]")).to_be_visible()
    expect(page.locator("summary", has_text="Report")).to_be_visible()
    page.get_by_role("button", name="Yes").click()
    answered(page, 1)
    page.get_by_role("button", name="Skip").click()
    answered(page, 1)
    page.goto("/tag/sentences/")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("Write what is said, or press")).to_be_visible()
    page.get_by_label("What is said?").fill("good morning")
    page.get_by_role("button", name="Send").click()
    answered(page, 1)
    expect_votes(page, 2)


GIVE_LEA_WORK = """
from django.utils import timezone
from accounts.models import User
from datasets.models import Annotation, Clip, Task
from tagger.models import Report, ReviewItem
from tests.support import factors
lea = User.objects.get_by_natural_key("lea")
factors.appoint(lea, "reviewer")
ReviewItem.objects.open().update(closed_at=timezone.now())  # what other people here left
now, crowd = timezone.now(), [User.objects.create_user(name) for name in ("mia", "nils")]
for slug, answers in (("juniper", ("yes", "no")), ("sentences", ("w" * 300, "what was said"))):
    # Not one that is waiting for settling, which would close the dispute, and not a reported one.
    tasks = Task.objects.filter(campaign__slug=slug, clip__hidden_at=None)
    task = tasks.filter(dirty_since=None).last()
    for person, answer in zip(crowd, answers):
        Annotation.objects.create(task=task, annotator=person, answer=answer, created_at=now)
    ReviewItem.objects.open_disputes([task], "no-agreement", now)
other = Task.objects.filter(campaign__slug="juniper", review_items=None, clip__hidden_at=None).first()
report = Report.objects.create(
    clip=other.clip, campaign=other.campaign, reporter=crowd[0], reason="private", at=now
)
Clip.objects.filter(pk=other.clip_id).update(hidden_at=now)
ReviewItem.objects.open_report(other.clip, report, now)
"""


def test_a_reviewer_hears_reported_and_disputed_clips_and_decides(published, volunteer):
    page = volunteer("lea", **PHONE)
    published.manage("shell", "-c", GIVE_LEA_WORK)
    page.goto("/review/")
    assert too_wide(page) == too_small(page) == []
    expect(page.get_by_role("link", name="Look")).to_have_count(3)
    page.get_by_role("link", name="Begin").click()
    for heading, answer in (
        ("May this clip be heard?", "Nothing wrong"),
        (TITLES[JUNIPER], "No"),
        (TITLES[WRITE], "No one speaks"),
    ):
        expect(page.get_by_text(heading).first).to_be_visible()
        assert too_wide(page) == too_small(page) == []
        # It starts by itself, and may have ended by now.
        comes_true(page, "document.querySelector('audio').played.length > 0")
        expect(page.locator("review-desk[aria-busy]")).to_have_count(0)
        page.get_by_role("button", name=re.compile(rf"^{answer}\b")).first.click()
    expect(page.get_by_role("heading", name="Nothing waits for you")).to_be_visible()


PAGES = (
    *(
        "/",
        "/tag/",
        "/tag/juniper/",
        "/tag/sentences/",
        "/profile/",
        "/review/",
        "/my-answers/",
        "/my-answers/today/",
        "/my-answers/certificate/",
        "/my-answers/differences/",
        "/teams/",
        "/tag/juniper/agreement/",
        "/review/volunteers/",
        "/first-minute/",
        "/first-minute/practice/",
        "/first-minute/practice/?kind=transcription",
        "/first-minute/ready/",
        "/who-runs-this/",
        "/nothing-here/",
    ),
    *("/accounts/logout/", "/accounts/password/change/"),
)


def test_every_page_fits_a_phone(volunteer):
    page = volunteer("olga", expected=["403", "404"], **PHONE)
    page.goto("/profile/")
    page.get_by_role("button", name="Make a token").click()
    expect(page.locator("#token")).to_be_visible()
    assert too_wide(page) == []
    for address in PAGES:
        page.goto(address)
        assert too_wide(page) == [], address
        assert too_small(page) == [], address
    page.context.clear_cookies()
    for address in ("/", "/accounts/login/", "/accounts/signup/"):
        page.goto(address)
        assert too_wide(page) == [], address
        assert too_small(page) == [], address

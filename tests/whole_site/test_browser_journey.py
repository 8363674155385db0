"""The main job in a real browser, on the site as it is published: sign up, listen, answer, see it counted."""

import json
import re

import pytest
from playwright.sync_api import expect

from tests.support import sounds
from tests.support.browser import MILLISECONDS, make_pledge
from tests.support.site import Site, eventually

# Every volunteer of this module is to find work, so no clip is settled early.
PATIENT = ("--min-annotations", "30", "--max-annotations", "40")
PASSWORD = "a long pass phrase"


@pytest.fixture(scope="module")
def published(browser, tmp_path_factory):
    """Without DEBUG: with our own pages for errors, and static files named by their hash."""
    folder = tmp_path_factory.mktemp("published")
    with Site(folder / "home", DEBUG="0") as site:
        open_campaign(site, "juniper", folder, 14, "--kind", "wake-word", "--wake-word", "hey juniper")
        open_campaign(site, "sentences", folder, 5, "--kind", "transcription")
        yield site


def open_campaign(site, slug, folder, clips, *options):
    site.manage("create_campaign", slug, "--language", "en", *PATIENT, *options)
    (folder / slug).mkdir()
    for n in range(clips):
        samples = sounds.babble(seed=len(slug) * 100 + n, seconds=1.2)
        (folder / slug / f"{n}.wav").write_bytes(sounds.in_format("wav", samples))
    consent = ("--contributor", "made", "--consent-reference", "made by a program")
    done = site.manage("import_clips", folder / slug, "--campaign", slug, *consent)
    assert f"{clips} added" in done.stdout


@pytest.fixture
def volunteer(published, visit):
    """Signs up through the page, as anybody does, and stands before the campaigns."""

    def sign_up(name, **options):
        page = visit(base_url=published.url, **options)
        page.goto("/accounts/signup/")
        page.get_by_label("Pseudonym").fill(name)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("main").get_by_role("button", name="Sign up").click()
        expect(page.get_by_role("heading", name="Choose what to tag")).to_be_visible()
        make_pledge(page)
        expect(page.get_by_role("heading", name="Choose what to tag")).to_be_visible()
        return page

    return sign_up


def open_desk(page, title):
    page.get_by_role("link", name=f"Tag {title}").click()
    expect(page.get_by_role("heading", name=title)).to_be_visible()
    unlocked(page)


def unlocked(page):
    """The next clip is there, and was heard to its end: it may be answered."""
    expect(page.locator("clip-desk:defined")).to_be_attached()
    expect(page.locator("clip-desk [aria-disabled]")).to_have_count(0)


def at_hand(page):
    """The next clip is there, if perhaps not heard: before somebody presses anything, nothing may play."""
    expect(page.locator("clip-desk:defined")).to_be_attached()
    expect(page.get_by_role("button", name="Skip")).not_to_have_attribute("aria-disabled", "true")


def listen(page):
    """The clip sounds; its address, which is another for each clip."""
    audio = page.locator("clip-player > audio")
    if audio.evaluate("audio => audio.paused && !audio.currentTime"):
        page.get_by_role("button", name="Play").click()
    sounds_on(page)
    return audio.get_attribute("src")


def comes_true(page, condition):
    """Not wait_for_function: that evaluates strings inside the page, which our policy forbids."""
    page.evaluate(f"""() => new Promise((resolve, giveUp) => {{
        setTimeout(() => giveUp("this never came true: " + look), {MILLISECONDS});
        const look = () => ({condition} ? resolve() : requestAnimationFrame(look));
        look();
    }})""")


def sounds_on(page):
    comes_true(page, "document.querySelector('audio').currentTime > 0")


def prefetched(page, number):
    """So many clips have come whole."""
    whole = "performance.getEntriesByType('resource').filter(({ name }) => name.endsWith('/audio/'))"
    comes_true(page, f"{whole}.length >= {number}")


def answered(page, number):
    expect(page.locator("#answered")).to_have_text(str(number))


def votes_held(page, number):
    """What the server says once the page is drawn anew."""
    page.goto("/tag/")
    said = f"You have given {number} vote"
    expect(page.locator("#answers")).to_contain_text(said)


def held_by(site, name):
    """[[campaign, answer], …] in the order of giving, from the database."""
    code = f"""
import json
from accounts.models import User
given = User.objects.get_by_natural_key({name!r}).annotations.order_by("id")
print(json.dumps([[row.task.campaign.slug, row.answer] for row in given]))
"""
    return json.loads(site.manage("shell", "-v", "0", "-c", code).stdout)


def test_from_signing_up_to_votes_in_the_database(published, volunteer):
    page = volunteer("ann")
    open_desk(page, "Is it “hey juniper”?")
    page.evaluate("window.stillThisPage = true")
    heard = [listen(page)]
    page.get_by_role("button", name="Yes").click()
    unlocked(page)
    heard.append(listen(page))
    page.keyboard.press("3")
    unlocked(page)
    heard.append(listen(page))
    page.keyboard.press("x")
    answered(page, 3)
    unlocked(page)
    heard.append(listen(page))
    page.get_by_role("button", name="Skip").click()
    unlocked(page)
    heard.append(listen(page))
    page.keyboard.press("r")
    page.get_by_role("button", name="Offensive").click()
    expect(page.get_by_text("the reported clip is hidden")).to_be_visible()
    unlocked(page)
    assert len({*heard, listen(page)}) == 6
    answered(page, 3)
    assert page.evaluate("window.stillThisPage")

    page.get_by_role("link", name="All campaigns").click()
    expect(page.locator("#answers")).to_contain_text("You have given 3 votes")
    open_desk(page, "Write down what is said")
    listen(page)
    box = page.get_by_label("What is said?")
    box.fill("switch the light on")
    page.get_by_role("button", name="Send").click()
    answered(page, 1)
    unlocked(page)
    expect(box).to_be_focused()
    expect(box).to_have_value("")
    box.press_sequentially("k, r and 1 are letters here")
    page.keyboard.press("Control+Enter")
    answered(page, 2)
    unlocked(page)
    page.get_by_role("button", name="No one speaks").click()
    answered(page, 3)
    votes_held(page, 6)
    expect(page.get_by_text("you gave 3 votes")).to_have_count(2)
    assert held_by(published, "ann") == [
        *(["juniper", answer] for answer in ("yes", "no", "noise")),
        *(["sentences", said] for said in ("switch the light on", "k, r and 1 are letters here", "")),
    ]


def test_a_reported_clip_is_gone_for_everybody_else(volunteer):
    page, other = volunteer("bob"), volunteer("cleo")
    open_desk(page, "Is it “hey juniper”?")
    total = int(re.search(r"of (\d+) clips", visible_text(other, "/tag/", "Is it “hey juniper”?"))[1])
    page.keyboard.press("r")
    expect(page.get_by_role("button", name="Another language")).to_be_visible()
    page.keyboard.press("y")  # the menu is open: not an answer
    with page.expect_response("**/report/"):
        page.get_by_role("button", name="Another language").click()
    offered = other.evaluate(BORROW_ALL, "/api/v1/campaigns/juniper/assignments/")
    assert 0 < offered < total
    answered(page, 0)


BORROW_ALL = """async (address) => {
    const token = document.cookie.match(/csrftoken=(\\w+)/)[1];
    const headers = { "Content-Type": "application/json", "X-CSRFToken": token };
    for (let held = 0; ; ) {
        const answer = await fetch(address, { method: "POST", headers, body: '{"count": 10}' });
        const { assignments } = await answer.json();
        if (!assignments.length) return held;
        held += assignments.length;
    }
}"""


def visible_text(page, address, title):
    page.goto(address)
    return page.get_by_role("listitem").filter(has_text=title).inner_text()


def test_answers_given_without_a_connection_arrive_once_when_it_is_back(volunteer):
    page = volunteer("dana", expected=["ERR_INTERNET_DISCONNECTED"])
    open_desk(page, "Is it “hey juniper”?")
    prefetched(page, 4)
    page.context.set_offline(True)
    page.keyboard.press("y")
    expect(page.get_by_text("Not sent yet")).to_contain_text("1")
    unlocked(page)
    listen(page)
    page.keyboard.press("n")
    expect(page.get_by_text("Not sent yet")).to_contain_text("2")
    answered(page, 0)
    # Nothing is lost by leaving the page, so it does not ask whether one means it.
    assert page.evaluate("window.dispatchEvent(new Event('beforeunload', { cancelable: true }))")
    page.context.set_offline(False)
    answered(page, 2)
    expect(page.get_by_text("Not sent yet")).to_be_hidden()
    votes_held(page, 2)


def test_an_answer_whose_confirmation_was_lost_is_sent_again_and_counted_once(volunteer):
    page = volunteer("emil", expected=["ERR_FAILED", "502"])
    open_desk(page, "Is it “hey juniper”?")
    lost = []

    def lose_two(route):
        lost.append(route.request.post_data)
        if len(lost) == 1:
            route.fetch()
            route.abort()
        elif len(lost) == 2:
            route.fulfill(status=502)
        else:
            route.continue_()

    page.route("**/annotation/", lose_two)
    page.keyboard.press("s")
    page.locator("[data-part=try-now]").dispatch_event("click")  # it may be gone by itself
    answered(page, 1)
    assert lost == ['{"answer":"similar"}'] * 3
    votes_held(page, 1)


def test_who_was_logged_out_logs_in_again_and_loses_nothing(volunteer):
    page = volunteer("fritz", expected=["401"])
    open_desk(page, "Is it “hey juniper”?")
    prefetched(page, 4)
    page.context.clear_cookies()
    page.keyboard.press("n")
    expect(page.get_by_text("You are logged out")).to_be_visible()
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Log in again").click()
    second = opened.value
    second.get_by_label("Pseudonym").fill("fritz")
    second.get_by_label("Password").fill(PASSWORD)
    second.get_by_role("main").get_by_role("button", name="Log in").click()
    expect(second.get_by_role("heading", name="Choose what to tag")).to_be_visible()
    second.close()
    answered(page, 1)
    expect(page.get_by_text("You are logged out")).to_be_hidden()
    votes_held(page, 1)


def test_a_refused_answer_says_why_and_is_not_counted(volunteer):
    page = volunteer("gerd", expected=["409"])
    open_desk(page, "Is it “hey juniper”?")
    detail = "You already gave this clip a different answer."
    page.route("**/annotation/", lambda route: route.fulfill(status=409, json={"detail": detail}))
    page.keyboard.press("n")
    expect(page.get_by_text(f"Not counted: {detail}")).to_be_visible()
    answered(page, 0)
    page.unroute("**/annotation/")
    unlocked(page)
    page.keyboard.press("n")
    answered(page, 1)


def test_a_double_click_is_one_answer_and_the_space_bar_never_votes(volunteer):
    page = volunteer("hedy")
    open_desk(page, "Is it “hey juniper”?")
    page.get_by_role("button", name="Similar").dblclick()
    unlocked(page)
    listen(page)
    page.evaluate("document.querySelector('audio').pause()")
    page.evaluate("document.querySelector('audio').currentTime = 0")
    page.keyboard.press("Space")
    sounds_on(page)
    answered(page, 1)
    votes_held(page, 1)


def test_a_reload_goes_on_with_what_was_borrowed(volunteer):
    page = volunteer("ines")
    open_desk(page, "Is it “hey juniper”?")
    prefetched(page, 4)
    held = page.locator("[data-part=held] li")
    page.reload()
    at_hand(page)
    borrowed = held.count()
    page.reload()
    at_hand(page)
    assert held.count() == borrowed > 1


TELL_REFUSAL = """{
    const { play } = HTMLMediaElement.prototype;
    HTMLMediaElement.prototype.play = function () {
        const playing = play.call(this);
        playing.catch((error) => console.info(error.name));
        return playing;
    };
}"""


def test_where_the_browser_wants_a_gesture_the_page_asks_for_one(volunteer, visit, published):
    known = volunteer("jan").context.storage_state()
    page = visit(base_url=published.url, storage_state=known)
    page.add_init_script(TELL_REFUSAL)
    # Waiting for the page's own word: whatever a test looks up in a page counts as a gesture there.
    with page.expect_console_message(lambda said: said.text == "NotAllowedError"):
        page.goto("/tag/juniper/")
    expect(page.get_by_role("status").filter(has_text="Press play")).to_be_visible()
    expect(page.get_by_role("button", name="Noise")).to_have_attribute("aria-disabled", "true")
    listen(page)
    expect(page.get_by_text("Press play")).to_have_count(0)
    unlocked(page)
    page.get_by_role("button", name="No", exact=False).first.click()
    unlocked(page)
    sounds_on(page)


def test_without_javascript_clips_are_tagged_by_forms(volunteer):
    page = volunteer("kim", expected=["400"], java_script_enabled=False)
    page.goto("/tag/juniper/")
    expect(page.locator("audio[controls]")).to_be_visible()
    expect(page.locator("summary", has_text="Report")).to_be_hidden()
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
    votes_held(page, 2)


GIVE_LEA_WORK = """
from django.utils import timezone
from accounts.models import User
from datasets.models import Annotation, Clip, Task
from tagger.models import Dispute
lea = User.objects.get_by_natural_key("lea")
lea.roles = ["annotator", "reviewer"]
lea.save()
now, crowd = timezone.now(), [User.objects.create_user(name) for name in ("mia", "nils")]
for slug, answers in (("juniper", ("yes", "no")), ("sentences", ("w" * 300, "what was said"))):
    # One that waits to be recounted would turn out to be no dispute; one that was reported waits for that.
    tasks = Task.objects.filter(campaign__slug=slug, clip__hidden_at=None)
    task = tasks.filter(dirty_since=None).last()
    for person, answer in zip(crowd, answers):
        Annotation.objects.create(task=task, annotator=person, answer=answer, created_at=now)
    Dispute.objects.create(task=task, opened_at=now)
other = Task.objects.filter(campaign__slug="juniper", dispute=None, clip__hidden_at=None).first()
Clip.objects.filter(pk=other.clip_id).update(hidden_at=now)
"""


def test_the_reviewer_hears_what_was_reported_and_disputed_and_decides(published, volunteer):
    page = volunteer("lea", **TELEPHONE)
    published.manage("shell", "-c", GIVE_LEA_WORK)
    page.goto("/review/")
    assert too_wide(page) == too_small(page) == []
    page.get_by_role("button", name="Play").first.click()
    sounds_on(page)
    assert eventually(lambda: page.reload() and page.get_by_role("link", name="Decide").count() == 2)
    for title, answer in (("Is it “hey juniper”?", "No"), ("Write down what is said", "No one speaks")):
        page.get_by_role("listitem").filter(has_text=title).get_by_role("link", name="Decide").click()
        expect(page.get_by_role("heading", name="Votes so far")).to_be_visible()
        assert too_wide(page) == too_small(page) == []
        page.get_by_role("button", name="Play").click()
        sounds_on(page)
        page.get_by_role("button", name=re.compile(f"^{answer}")).first.click()
        expect(page.get_by_text("Decided. Thank you.")).to_be_visible()
    expect(page.get_by_text("No disputes are open.")).to_be_visible()


TELEPHONE = {"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True}
PAGES = (
    *(
        "/",
        "/tag/",
        "/tag/juniper/",
        "/tag/sentences/",
        "/profile/",
        "/review/",
        "/my-answers/",
        "/tag/juniper/agreement/",
        "/review/volunteers/",
        "/first-minute/",
        "/first-minute/practice/",
        "/first-minute/practice/?kind=transcription",
        "/first-minute/ready/",
        "/nothing-here/",
    ),
    *("/accounts/logout/", "/accounts/password/change/"),
)


def test_every_page_fits_a_telephone(volunteer):
    page = volunteer("olga", expected=["403", "404"], **TELEPHONE)
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


def too_wide(page):
    """What sticks out of the window."""
    return page.evaluate("""() => document.documentElement.scrollWidth <= innerWidth ? [] :
        [...document.querySelectorAll("body *")]
            .filter((each) => each.getBoundingClientRect().right > innerWidth)
            .map((each) => each.outerHTML.slice(0, 80))""")


def too_small(page):
    """Controls that a thumb misses; links within a sentence are let be, as WCAG does."""
    return page.evaluate("""() => [...document.querySelectorAll("a, button, summary, textarea, input")]
        .filter((each) => each.checkVisibility() && !each.matches("p:not(.actions) a, .help a, .skip-link"))
        .map((each) => each.closest("label") ?? each)
        .map((each) => [each, each.getBoundingClientRect()])
        .filter(([each, { width, height }]) => each.type !== "hidden" && (width < 43.5 || height < 43.5))
        .map(([each]) => each).map((each) => each.outerHTML.slice(0, 80))""")

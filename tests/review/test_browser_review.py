"""The review desk in a real browser: a key decides, the next clip plays, and nothing typed is lost."""

import json
import re
from itertools import cycle

import pytest
from playwright.sync_api import expect

from tests.support import desk
from tests.support.browser import comes_true, sounds_on
from tests.support.desk import OFFLINE, stored_on_device
from tests.support.mutants import mutant

# Three volunteers; no one wrote the whole of what is said.
TEXTS = ["turn on the kitchen lamp", "turn off the kitchen lamp", "turn on the chicken lamp"]
SAID = "turn off the chicken lamp"

FILL = f"""
from django.db import transaction
from django.utils import timezone
from accounts.models import User
from datasets.models import Annotation, Campaign, Task
from tagger.lending import reporting
from tagger.models import ReviewItem
from tagger.settling import settlement

now = timezone.now()
people = [User.objects.create_user(name) for name in ("vic", "val", "van", "ruth")][:3]
Campaign.objects.update(min_annotations=2, max_annotations=3, confidence=0.99)
answers = {{"words": {TEXTS!r}, "labels": ["yes", "yes", "no"]}}
found = Task.objects.select_related("campaign")
tasks = [list(found.filter(campaign=campaign)) for campaign in Campaign.objects.all()]
for number, _, task in sorted((number, task.pk, task) for each in tasks for number, task in enumerate(each)):
    if task.campaign.slug == "reported" and number % 4 == 3:
        ReviewItem.objects.open_check(task.clip, task.campaign, "unsure", now)
        continue
    if task.campaign.slug == "reported":
        with transaction.atomic():
            reporting.store(people[number % 3], task, "offensive", (0.2, 0.6), now)
        continue
    for person, answer in zip(people, answers[task.campaign.slug]):
        Annotation.objects.create(task=task, annotator=person, answer=answer, created_at=now)
    Task.objects.filter(pk=task.pk).update(annotation_count=3, wanted=3, dirty_since=now)
    settlement.settle(task.pk, now)
"""
# What other reviewers were lent in earlier tests is free again.
APPOINT = """
from accounts.models import User
from tagger.models import ReviewItem
from tests.support import factors
ReviewItem.objects.update(reviewer=None, lent_until=None)
factors.appoint(User.objects.get_by_natural_key({name!r}), "reviewer")
"""
# The one who has the item had it for too long, and another one has it now.
PASS_ON = """
from datetime import timedelta
from django.utils import timezone
from accounts.models import User
from tagger.models import ReviewItem
other = User.objects.get_by_natural_key({name!r})
ReviewItem.objects.filter(pk={item}).update(reviewer=other, lent_until=timezone.now() + timedelta(minutes=9))
"""
DECIDED = """
import json
from tagger.models import Decision
rows = Decision.objects.filter(item={item}).order_by("pk")
print(json.dumps([[row.act, row.answer, row.undone_at is not None, row.item.task.answer] for row in rows]))
"""
SILENCED = """
import json
from tagger.models import ReviewItem
print(json.dumps(ReviewItem.objects.get(pk={item}).clip.silenced))
"""
ACTS = """
import json
from collections import Counter
from tagger.models import Decision
print(json.dumps(Counter(Decision.objects.filter(undone_at=None).values_list("act", flat=True))))
"""

# The keys for items of each kind, in turn.
KEYS = {
    "labels": (["2"], ["y"], ["m"]),
    "words": (["Enter"], ["3", "Enter"], ["a", "f", "Enter"], ["0"]),
    "report": (["d"], ["r"], ["x"]),
    "check": (["c"],),
}


@pytest.fixture(scope="module")
def site(browser, site, tmp_path_factory):
    folder = tmp_path_factory.mktemp("review")
    desk.open_unheard(site, folder, labels=16, words=16, reported=15)
    site.manage("shell", "-c", FILL)
    return site


@pytest.fixture
def reviewer(site, visit):
    """Log someone in as a reviewer, by name."""
    log_in = desk.people(site, visit)

    def start(name, **options):
        page = log_in(name, **options)
        site.manage("shell", "-c", APPOINT.format(name=name))
        return page

    return start


def begin(page, part=""):
    page.goto(f"/review/?{part}")
    page.get_by_role("link", name="Begin").click()
    page.evaluate("window.isStill = true")
    return ready(page)


def ready(page):
    """Wait until the item takes a decision. Returns its number."""
    expect(page.locator("review-desk:not([aria-busy])")).to_be_attached()
    return shown(page)


def shown(page):
    return page.locator("review-desk").get_attribute("data-item")


def press(page, *keys):
    for key in keys:
        page.keyboard.press(key)


def decide(page, *keys):
    """Press these keys, and wait for another item, or for the news that none is left. Returns its number."""
    before = ready(page)
    press(page, *keys)
    expect(page.locator(f"review-desk[data-item='{before}']")).to_have_count(0)
    assert page.evaluate("window.isStill"), "the page was loaded"
    return None if page.locator("[data-part=nothing-left]").count() else ready(page)


def told(site, code, **values):
    return json.loads(site.manage("shell", "-v", "0", "-c", code.format(**values)).stdout)


def test_two_reviewers_settle_thirty_items_by_keys_and_never_get_the_same(site, reviewer):
    keys = {name: cycle(each) for name, each in KEYS.items()}
    pages = [reviewer(name) for name in ("ada", "eva")]
    seen = [begin(page) for page in pages]
    for page in pages * 15:
        page.bring_to_front()
        sounds_on(page)
        campaign, kind = page.evaluate(
            "(({ campaign, kind }) => [campaign, kind])(document.querySelector('review-desk').dataset)"
        )
        seen.append(decide(page, *next(keys.get(kind) or keys[campaign])))
    assert len(seen) == len(set(seen)) == 32
    assert told(site, ACTS) == {
        "accept": 17,
        "ask-more": 3,
        "dismiss": 3,
        "return": 3,
        "unusable": 2,
        "clear": 2,
    }


@mutant(
    "text that could not be sent stays",
    "static/js/review/review-desk.js",
    kept_by="post(`/api/v1/reviews/${item}/${act}/`, body)))) return;\n",
    broken="post(`/api/v1/reviews/${item}/${act}/`, body)))) void 0;\n",
)
@mutant(
    "whoever comes after a reviewer whose session ended sees nothing of the clip",
    "static/js/review/ended.js",
    kept_by='    this.#desk.setAttribute("data-ended", "");\n',
    broken="",
)
def test_nothing_that_was_typed_is_lost(site, reviewer):
    page = reviewer("rita", expected=[OFFLINE, "409", "401"])
    item = begin(page, "campaign=words")
    box = page.get_by_label("What is said?")
    press(page, "e")
    expect(box).to_be_focused()
    box.fill("turn on the kitten lamp")
    # No connection.
    page.context.set_offline(True)
    press(page, "Control+Enter")
    expect(page.get_by_text("No connection. What you wrote is still here")).to_be_visible()
    expect(box).to_have_value("turn on the kitten lamp")
    page.context.set_offline(False)
    # Another text in its place, and back again.
    press(page, "Escape", "2")
    expect(box).to_have_value(TEXTS[1])
    press(page, "w")
    expect(box).to_have_value("turn on the kitten lamp")
    # The lease is lost.
    site.manage("shell", "-c", PASS_ON.format(name="ruth", item=item))
    press(page, "Enter")
    expect(page.get_by_text("another reviewer has it now")).to_be_visible()
    expect(box).to_have_value("turn on the kitten lamp")
    page.reload()
    expect(page.get_by_text("Another reviewer has this clip at the moment")).to_be_visible()
    expect(box).to_have_value("turn on the kitten lamp")
    site.manage("shell", "-c", PASS_ON.format(name="rita", item=item))
    ready(page)
    press(page, "Enter")
    expect(page.locator(f"review-desk[data-item='{item}']")).to_have_count(0)
    assert stored_on_device(page) == []
    assert told(site, DECIDED, item=item) == [
        ["accept", "turn on the kitten lamp", False, "turn on the kitten lamp"]
    ]
    # The session ends: nothing of the clip is shown until its reviewer is back.
    ready(page)
    page.get_by_label("What is said?").fill("a secret")
    kept = page.context.cookies()
    page.context.clear_cookies()
    press(page, "Escape", "x")
    expect(page.get_by_text("You are logged out. Log in again to continue.")).to_be_visible()
    expect(box).to_be_hidden()
    page.context.add_cookies(kept)
    page.get_by_role("button", name="Try now").click()
    expect(box).to_have_value("a secret")
    expect(box).to_be_visible()
    # Whoever logs out leaves nothing behind.
    assert len(stored_on_device(page, "draft")) == 1
    page.goto("/accounts/logout/")
    page.get_by_role("main").get_by_role("button", name="Log out").click()
    expect(page.get_by_role("link", name="Log in").first).to_be_visible()
    assert stored_on_device(page) == []


@mutant(
    "an item stays with whoever types for longer than a lease",
    "static/js/review/review-desk.js",
    kept_by="      await post(`/api/v1/reviews/${this.dataset.item}/renew/`);\n",
    broken="",
)
def test_while_somebody_types_the_item_stays_theirs(site, reviewer):
    page = reviewer("rina", expected=["409"])
    page.clock.install()
    item = begin(page, "campaign=words")
    renewed = []
    page.on("request", lambda request: "/renew/" in request.url and renewed.append(request.url))
    box = page.get_by_label("What is said?")
    box.press_sequentially(" ab")
    assert renewed == []
    page.clock.fast_forward("01:01")
    with page.expect_response("**/renew/") as answered:
        box.press_sequentially("cd")
    assert answered.value.ok and len(renewed) == 1
    site.manage("shell", "-c", PASS_ON.format(name="ruth", item=item))
    page.clock.fast_forward("01:01")
    box.press_sequentially("e")
    expect(page.get_by_text("another reviewer has it now")).to_be_visible()
    expect(box).to_have_value(re.compile("^ abcde"))
    assert len(renewed) == 2


@mutant(
    "nothing is silenced before the reviewer has seen what will be left",
    "static/js/review/review-desk.js",
    kept_by="    if (FOR_GOOD.includes(act)) this.#ask(button);\n    else this.#send(",
    broken="    this.#send(",
)
def test_words_of_three_make_a_transcript_undo_takes_it_back_and_a_part_is_silenced(site, reviewer):
    page = reviewer("rosa")
    item = begin(page, "campaign=words")
    box = page.get_by_label("What is said?")
    expect(box).to_have_value(TEXTS[0])
    press(page, "a", "f")
    expect(box).to_have_value(SAID)
    page.get_by_role("button", name="Play from “kitchen”").click()
    comes_true(page, "document.querySelector('clip-player > audio').currentTime > 0.3")
    decide(page, "Enter")
    press(page, "z")
    expect(page.locator(f"review-desk[data-item='{item}']")).to_be_attached()
    assert told(site, DECIDED, item=item) == [["accept", SAID, True, None]]
    decide(page, "2", "Enter")
    assert told(site, DECIDED, item=item)[1] == ["accept", TEXTS[1], False, TEXTS[1]]
    # The part that was reported plays.
    item = begin(page, "kind=report")
    press(page, "l")
    comes_true(page, "document.querySelector('.marked').checkVisibility()")
    sounds_on(page)
    # That part is silenced, once the reviewer has seen what will be left.
    press(page, "p")
    expect(page.get_by_role("heading", name="Silence 0.20-0.60 s for good?")).to_be_visible()
    assert told(site, SILENCED, item=item) == []
    decide(page, "Enter")
    assert told(site, SILENCED, item=item) == [[0.2, 0.6]]
    # What is pressed by itself is not pressed by a key of the page as well.
    press(page, "Tab")
    page.get_by_role("button", name="Keys and sound").press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()


def test_a_reviewer_plays_many_through_and_accepts_all_but_the_marked_ones(site, reviewer):
    page = reviewer("rika")
    page.goto("/review/")
    page.get_by_label("Campaign").select_option("labels")
    page.get_by_role("button", name="Show", exact=True).click()
    page.goto("/review/")  # the filter is remembered
    expect(page).to_have_url(re.compile("campaign=labels"))
    page.get_by_role("link", name="Play through").click()
    expect(page.locator("[aria-current=true][data-part=row]")).to_have_count(1)
    rows = page.locator("[data-part=row]")
    number = rows.count()
    press(page, "Enter")
    expect(page.get_by_text("Play every clip first, or mark it.")).to_be_visible()
    press(page, "Space")
    sounds_on(page)
    expect(rows.nth(1)).to_have_attribute("aria-current", "true")  # the second one plays after the first
    press(page, "x")
    # The others follow by themselves. Keys that go on at once would leave some unheard.
    for row in range(number):
        comes_true(page, f"document.querySelectorAll('[data-part=row] audio')[{row}].played.length > 0")
    press(page, "Enter")
    expect(page.get_by_text(f"{number - 1} answers are accepted.")).to_be_visible()
    expect(page.get_by_role("link", name="Look")).to_have_count(1)


# Three clips may be published, and this person checks such clips.
OBJECT = """
from django.utils import timezone
from tagger.models import Objection, ReviewItem
from datasets.models import Task

open_ones = ReviewItem.objects.open().filter(kind="dispute", campaign__slug="words", reviewer=None)
item = open_ones.order_by("pk").last()
task = Task.objects.select_related("campaign", "clip__contributor__data_key").get(pk=item.task_id)
given = task.annotations.order_by("pk").first()
given.task = task
objection = Objection(annotation=given, created_at=timezone.now())
objection.answer, objection.note = {said!r}, "it is a chicken"
objection.save()
print(item.pk)
"""


@mutant(
    "one key accepts what a volunteer still thinks, whatever is in the box",
    "static/js/review/review-desk.js",
    kept_by="saysAll(button) ? button.value : this.box.text",
    broken="this.box.text",
)
def test_one_key_accepts_what_a_volunteer_still_thinks(site, reviewer):
    page = reviewer("rhea")
    item = told(site, OBJECT, said=SAID)
    page.goto(f"/review/items/{item}/")
    ready(page)
    expect(page.get_by_text("it is a chicken")).to_be_visible()
    page.evaluate("window.isStill = true")
    decide(page, "o")
    assert told(site, DECIDED, item=item) == [["accept", SAID, False, SAID]]


PUBLISH = """
from django.utils import timezone
from accounts import consent
from accounts.models import Purpose, User
from datasets.models import Clip, Task
from tests.support import factors

tasks = Task.objects.filter(clip__in=Clip.objects.live_for(Purpose.VOLUNTEERS)).order_by("pk")[:3]
for task in tasks:
    consent.give(task.clip.contributor, task.clip.material, [Purpose.PUBLIC], timezone.now(), reference="x")
Clip.objects.exclude(tasks__in=[task.pk for task in tasks]).update(hidden_at=timezone.now())
for task in tasks:
    task.status, task.answer = "settled", task.answer or "yes"
    task.save()
factors.appoint(User.objects.get_by_natural_key("pia"), "privacy-reviewer")
"""
CHECKED = """
import json
from tagger.models import PrivacyCheck
rows = PrivacyCheck.objects.order_by("pk").values_list("answer", "found", "parts")
print(json.dumps([[answer, found, len(parts)] for answer, found, parts in rows]))
"""


def test_clips_are_checked_before_publication_by_keys(site, visit):
    """Last here: it hides all clips but three."""
    page = desk.people(site, visit)("pia")
    site.manage("shell", "-c", PUBLISH)
    page.goto("/profile/")
    page.locator("nav a[href='/review/checks/']").click()  # a page that was opened by itself may not play
    expect(page.locator("check-desk")).to_be_attached()
    page.evaluate("window.isStill = true")
    no, form = page.get_by_role("button", name="No nothing"), page.locator("check-desk form")
    for keys in (["n"], ["1", "q", "y"], ["u"]):
        # It may have ended by now, which rewinds it.
        comes_true(page, "document.querySelector('audio').played.length > 0")
        before = form.get_attribute("action")
        expect(no).not_to_have_attribute("aria-disabled", "true")
        if "q" in keys:
            page.evaluate("document.querySelector('clip-player').marked.mark(0.1, 0.4)")
        press(page, *keys)
        expect(page.locator(f"check-desk form[action='{before}']")).to_have_count(0)
        if keys != ["u"]:
            assert page.evaluate("window.isStill"), "the page was loaded"
    expect(page.get_by_role("heading", name="Nothing to check")).to_be_visible()
    assert told(site, CHECKED) == [["no", [], 0], ["yes", ["name"], 1], ["unsure", [], 0]]

"""When a quota is used up, the tagging page says so calmly and continues by itself, in a real browser."""

import pytest
from playwright.sync_api import expect

from tests.support import desk
from tests.support.browser import comes_true, too_wide
from tests.support.desk import answered, answers_of, at_desk, ready
from tests.support.mutants import mutant
from tests.support.site import eventually

SENTENCE = "That was a lot of clips in a short time. More come in 10 minutes."
BY_ITSELF = "It continues by itself."
READY_OR_PAUSED = (
    "(document.querySelector('[data-part=skip] button').ariaDisabled !== 'true'"
    " || !document.querySelector('[data-part=paused]').hidden)"
)

# Forty clips that were lent just now and not answered, in other campaigns.
USE_UP = """
from django.utils import timezone
from accounts.models import User
from datasets.models import Campaign, Clip, Task
from tagger.models import Assignment

person, now = User.objects.get_by_natural_key({name!r}), timezone.now()
for n in range(40):
    campaign, _ = Campaign.objects.get_or_create(
        slug=f"closed-{{n}}", kind="wake-word", language="en", wake_word="hey", stage="closed"
    )
    task, _ = Task.objects.get_or_create(clip=Clip.objects.first(), campaign=campaign, wanted=2)
    Assignment.objects.create(task=task, annotator=person, state="expired", lent_at=now, expires_at=now)
"""
REPORT_TEN = """
from django.utils import timezone
from accounts.models import User
from datasets.models import Task
from tagger.models import Report

person = User.objects.get_by_natural_key({name!r})
for task in Task.objects.filter(campaign__slug="quick").exclude(assignments__annotator=person)[:10]:
    Report.objects.create(
        clip=task.clip, campaign=task.campaign, reporter=person, reason="audio", at=timezone.now()
    )
"""
LATER = """
from datetime import timedelta
from django.db.models import F
from accounts.models import User

person = User.objects.get_by_natural_key({name!r})
person.assignments.update(lent_at=F("lent_at") - timedelta(seconds={seconds}))
person.reports.update(at=F("at") - timedelta(seconds={seconds}))
"""


@pytest.fixture(scope="module")
def site(browser, site, tmp_path_factory):
    desk.open_campaigns(site, tmp_path_factory.mktemp("quota"), quick=("wake-word", 20, "--must-hear", "0"))
    return site


@pytest.fixture
def person(site, visit):
    return desk.people(site, visit)


def shell(site, code, **values):
    site.manage("shell", "-v", "0", "-c", code.format(**values))


def reports_of(site, name):
    code = (
        f"from accounts.models import User; print(User.objects.get_by_natural_key({name!r}).reports.count())"
    )
    return int(site.manage("shell", "-v", "0", "-c", code).stdout)


def answer_until_paused(page):
    given = 0
    while page.locator("[data-part=paused]").is_hidden():
        page.keyboard.press("y")
        given += 1
        answered(page, given)
        comes_true(page, READY_OR_PAUSED)
    return given


@mutant(
    "the tagging page continues by itself after a quota",
    "static/js/desk/sync/lent-clips.js",
    kept_by="error instanceof Paused ? this.#backoff.waitUntil(error.until)",
    broken="error instanceof Paused ? new Promise(() => {})",
)
def test_the_desk_says_when_it_goes_on_and_continues_by_itself(site, person):
    page = desk.without_pause(person("ida", expected=["429"]))
    page.clock.install()
    at_desk(page, "quick")
    shell(site, USE_UP, name="ida")
    given = answer_until_paused(page)
    assert given >= 1  # what was lent stayed usable
    notice = page.locator("[data-part=paused]")
    expect(notice).to_contain_text(SENTENCE)
    expect(notice).to_contain_text(BY_ITSELF)
    expect(page.locator("[data-part=unsent]")).to_be_hidden()
    expect(page.get_by_text("Loading the next clip")).to_have_count(0)
    shell(site, LATER, name="ida", seconds=3600)
    page.clock.fast_forward("10:01")
    expect(notice).to_be_hidden()
    ready(page)
    page.keyboard.press("y")
    answered(page, given + 1)


def test_an_answer_is_sent_while_a_report_waits_for_its_quota(site, person):
    page = desk.without_pause(person("jon", expected=["429"]))
    page.clock.install()
    at_desk(page, "quick")
    shell(site, REPORT_TEN, name="jon")
    page.keyboard.press("r")
    page.get_by_role("button", name="Private").click()
    notice = page.locator("[data-part=paused]")
    expect(notice).to_contain_text(
        "You reported many clips in a short time. You can report more in 10 minutes."
    )
    ready(page)
    page.keyboard.press("y")
    answered(page, 1)
    assert eventually(lambda: len(answers_of(site, "jon")) == 1)
    assert reports_of(site, "jon") == 10
    shell(site, LATER, name="jon", seconds=3600)
    page.clock.fast_forward("10:01")
    expect(notice).to_be_hidden()
    assert reports_of(site, "jon") == 11


def test_the_page_continues_by_itself_when_it_was_loaded_during_a_quota(site, person):
    page = person("kim", expected=["429"], viewport={"width": 360, "height": 740})
    shell(site, USE_UP, name="kim")
    page.goto("/tag/quick/")
    expect(page.get_by_role("heading", name="A short break")).to_be_visible()
    expect(page.get_by_text(SENTENCE)).to_be_visible()
    assert too_wide(page) == []
    shell(site, LATER, name="kim", seconds=596)
    page.get_by_role("link", name="Check again").click()
    ready(page)

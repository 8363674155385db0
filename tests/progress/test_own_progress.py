"""A volunteer's own progress: today's votes, what they led to, and the streak for those who want it."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from datasets.models import Task
from datasets.releases import freezing
from tagger.progress import days, own_progress
from tests.conftest import NOW
from tests.progress.conftest import DAY, drawn, settle
from tests.support.mutants import mutant

pytestmark = pytest.mark.django_db


def test_my_votes_are_shown_in_total_and_of_today(here, bea, carl, give):
    now = timezone.now()
    give(bea, 2, now)
    give(bea, 3, days.start_of_day(now) - timedelta(seconds=1))
    give(carl, 5, now)
    assert own_progress.answers_today(bea, now) == 2
    page = drawn(here, "/tag/")
    assert 'You have given <strong class="number">5</strong> answers' in page
    assert 'Of these, <strong class="number">2</strong> today.' in page


def test_the_desks_numbers_are_read_together(bea, carl, juniper, sentences, give, django_assert_num_queries):
    now = timezone.now()
    before = days.start_of_day(now) - timedelta(seconds=1)
    assert own_progress.given(bea, juniper, now) == own_progress.Given(here=0, today=0, newest=0)
    give(bea, 2, now)
    give(bea, 3, before)
    give(bea, 4, now, campaign=sentences)
    newest = bea.annotations.latest("pk").pk
    give(carl, 5, now)
    with django_assert_num_queries(1):
        assert own_progress.given(bea, juniper, now) == own_progress.Given(here=5, today=6, newest=newest)


def test_votes_are_shown_by_campaign_unless_there_are_very_many(here, bea, give, monkeypatch):
    give(bea, 3)
    assert 'You gave <span class="number">3</span> answers' in drawn(here, "/tag/")
    monkeypatch.setattr(own_progress, "NEWEST_ANSWERS", 2)
    page = drawn(here, "/tag/")
    assert "You gave" not in page and 'You have given <strong class="number">3</strong> answers' in page


# --- results ---


def test_my_answers_led_to_clips_hours_and_releases(here, bea, carl, juniper, sentences, give):
    own = give(bea, 4)
    settle(own[:3])
    settle(give(carl, 2))
    give(bea, 1, campaign=sentences)
    clip = own[0].clip
    clip.seconds = 100.0
    clip.save()
    freezing.freeze("second", [juniper], NOW)
    Task.objects.filter(annotations__annotator=bea).update(status="open", plain_answer=None)
    freezing.freeze("not-mine", [juniper], NOW + DAY)
    settle(own[:3])
    found = {each.campaign: each for each in own_progress.results(bea)}
    in_juniper = found[juniper]
    assert (in_juniper.answers, in_juniper.settled, in_juniper.percent, in_juniper.seconds) == (
        4,
        3,
        75,
        102.0,
    )
    assert in_juniper.releases == [("second", 3)] and in_juniper.heard == 103.0
    assert (found[sentences].settled, found[sentences].releases) == (0, [])
    page = drawn(here, "/my-answers/")
    assert 'Wake words (<bdi lang="en">English</bdi>)' in page
    assert "You answered 4 clips. Settled so far: 3 (75 %)." in page
    assert (
        "1 min of labelled speech" in page
        and "<strong><bdi>second</bdi></strong>" in page
        and "not-mine" not in page
    )
    assert "None of the clips you answered here is settled yet" in page


def test_only_the_newest_of_very_many_answers_are_looked_up_and_the_page_says_so(
    here, bea, give, monkeypatch
):
    monkeypatch.setattr(own_progress, "NEWEST_ANSWERS", 3)
    settle(give(bea, 2, NOW - DAY))
    assert "Based on your last" not in drawn(here, "/my-answers/")
    give(bea, 2, NOW)
    [found] = own_progress.results(bea)
    assert (found.answers, found.settled) == (3, 1)
    page = drawn(here, "/my-answers/")
    assert "Based on your last 3 answers." in page
    assert 'You have listened for at least <strong class="number">0.0</strong> hours.' in page


def test_without_answers_the_page_shows_no_results(here):
    page = drawn(here, "/my-answers/")
    assert "Nothing to show yet" in page and "What your answers led to" not in page


# --- the streak ---


@pytest.mark.parametrize(
    ("days_ago", "of_last", "in_a_row"),
    [
        ([], 0, 0),
        ([0], 1, 1),
        ([1, 2], 2, 2),  # today is not over yet
        ([0, 1, 3], 3, 2),
        ([2, 3, 4], 3, 0),
        ([14], 0, 0),
        (range(20), 14, 14),
    ],
)
def test_days_are_counted_back_from_today_or_yesterday(bea, carl, give, days_ago, of_last, in_a_row):
    for ago in days_ago:
        give(bea, 2, NOW - ago * DAY)
    give(carl, 1)
    assert own_progress.streak(bea, NOW) == own_progress.Streak(of_last, in_a_row)


@mutant(
    "the streak is shown only to volunteers who want it",
    "tagger/campaigns/views.py",
    kept_by="own_progress.streak(request.user, now) if request.user.shows_streak else None",
    broken="own_progress.streak(request.user, now)",
)
def test_a_streak_is_shown_only_to_volunteers_who_want_it(here, bea, give):
    now = timezone.now()
    give(bea, 1, now)
    give(bea, 1, now - DAY)
    assert "of the last 14 days" not in drawn(here, "/tag/")
    here.post(reverse("choose_streak"), {"switch": "on"})
    page = drawn(here, "/tag/")
    assert "You have been here 2 days in a row." in page and "on 2 of the last 14 days" in page
    here.post(reverse("choose_streak"), {"switch": "off"})
    assert "of the last 14 days" not in drawn(here, "/tag/")


def test_a_broken_streak_is_not_mentioned(here, bea, give):
    User.objects.filter(pk=bea.pk).update(shows_streak=True)
    page = drawn(here, "/tag/")
    assert "Good to see you." in page and "in a row" not in page and "of the last" not in page

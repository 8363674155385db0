"""Thanks that are true: what settled because of one person's votes, and their own wave."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from datasets.models import Annotation, Task
from tagger.progress import because_of_you, own_wave
from tagger.settling import settlement
from tests.conftest import NOW
from tests.progress.conftest import DAY, drawn, settle
from tests.support.mutants import mutant

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)


@pytest.fixture
def vote(share):
    """Stores votes a minute apart, settling after each; the task."""

    def some(campaign, *votes, at=NOW):
        task = share(campaign)
        for number, (person, answer) in enumerate(votes):
            Annotation.objects.create(
                task=task, annotator=person, answer=answer, created_at=at + number * MINUTE
            )
            Task.objects.filter(pk=task.pk).update(annotation_count=number + 1)
            settlement.settle(task.pk, at + number * MINUTE + timedelta(seconds=2))
        return Task.objects.get(pk=task.pk)

    return some


def labels_and_last(person):
    found = because_of_you.of_person(person, person.annotations.count())
    return found.labels, found.last


@mutant(
    "thanks are only for votes that were in before the clip settled, so no control is given away",
    "tagger/progress/because_of_you.py",
    kept_by='votes.filter(given_at__lte=F("task__settled_at"))',
    broken="votes",
)
def test_a_vote_counts_that_was_in_when_the_clip_settled_and_says_the_same(vote, juniper, volunteers):
    bea, carl, dora, *_ = volunteers
    task = vote(juniper, (bea, "yes"), (carl, "yes"), (dora, "yes"))
    assert task.status == Task.Status.SETTLED
    assert task.settled_at == NOW + MINUTE + timedelta(seconds=2)
    assert [labels_and_last(person) for person in (bea, carl, dora)] == [(1, 0), (1, 1), (0, 0)]


@mutant(
    "thanks for settling a clip are for the last vote alone",
    "tagger/progress/because_of_you.py",
    kept_by=".annotate(came_last=~Exists(between))",
    broken=".annotate(came_last=Exists(between))",
)
def test_the_last_of_the_votes_that_settled_it_is_the_one_that_settled_it(vote, juniper, bea, carl):
    for _ in range(3):
        vote(juniper, (carl, "yes"), (bea, "yes"))
    assert (labels_and_last(bea), labels_and_last(carl)) == ((3, 3), (3, 0))
    assert because_of_you.of_person(bea, 3).seconds == pytest.approx(1.5)


def test_a_vote_that_said_otherwise_or_a_reviewers_decision_is_no_thanks(vote, juniper, volunteers):
    bea, carl, dora, eli, *_ = volunteers
    vote(juniper, (bea, "no"), (carl, "yes"), (dora, "yes"), (eli, "yes"))
    assert labels_and_last(bea) == (0, 0) and labels_and_last(carl)[0] == 1
    Task.objects.update(adjudicated=True)
    assert labels_and_last(carl) == (0, 0)


def test_a_changed_answer_counts_from_when_it_was_changed(vote, juniper, bea, carl):
    vote(juniper, (bea, "yes"), (carl, "yes"))
    Annotation.objects.filter(annotator=bea).update(changed_at=NOW + MINUTE + timedelta(seconds=1))
    assert (labels_and_last(bea), labels_and_last(carl)) == ((1, 1), (1, 0))
    Annotation.objects.filter(annotator=bea).update(changed_at=NOW + DAY)
    assert labels_and_last(bea) == (0, 0)


def test_transcripts_are_compared_as_votes_are(vote, sentences, bea, carl):
    vote(sentences, (bea, "What a fine day!"), (carl, "what a fine day"))
    assert (labels_and_last(bea), labels_and_last(carl)) == ((1, 0), (1, 1))


def test_clips_that_were_taken_back_are_not_counted(vote, juniper, bea, carl):
    task = vote(juniper, (bea, "yes"), (carl, "yes"))
    task.clip.hidden_at = NOW
    task.clip.save()
    assert labels_and_last(bea) == (0, 0)


def test_the_page_of_today_costs_the_same_few_queries_whatever_there_is(here, vote, juniper, bea, carl):
    at = timezone.now()
    counted = []
    for number in (1, 4):
        for _ in range(number):
            vote(juniper, (carl, "yes"), (bea, "yes"), at=at - 5 * MINUTE)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            page = drawn(here, "/my-answers/today/")
        counted.append(len(queries))
    assert counted[0] == counted[1] <= 6
    assert 'Today <strong class="number">5</strong> labels settled with your answers behind them.' in page
    assert 'For <strong class="number">5</strong> of them, yours was the last answer needed.' in page


@mutant(
    "thanks that cover only the newest answers say so",
    "tagger/progress/because_of_you.py",
    kept_by="most if votes > most else 0",
    broken="0",
)
def test_thanks_for_the_newest_answers_say_how_many_they_are(here, vote, juniper, bea, carl, monkeypatch):
    monkeypatch.setattr(because_of_you, "MOST", 2)
    monkeypatch.setattr(because_of_you, "MOST_TODAY", 2)
    at = timezone.now()
    for newest in (0, 0, 2):
        vote(juniper, (carl, "yes"), (bea, "yes"), at=at - MINUTE)
        for address in ("/my-answers/", "/my-answers/today/"):
            assert ("Based on your last 2 answers." in drawn(here, address)) == bool(newest)
    assert labels_and_last(bea) == (2, 2)


def test_a_day_without_settled_labels_shows_no_number(here, give, bea):
    assert "Nothing yet today" in drawn(here, "/my-answers/today/")
    give(bea, 3, timezone.now())
    page = drawn(here, "/my-answers/today/")
    assert "waiting for company" in page and "<strong" not in page.split("<main")[1].split("Your wave")[0]


# --- the wave ---


@mutant(
    "a person's wave has one bar a day, not one for each answer",
    "tagger/progress/own_wave.py",
    kept_by="AND created_at < day.start ORDER BY created_at DESC LIMIT 1",
    broken="AND created_at < day.start ORDER BY created_at DESC LIMIT 2",
)
def test_the_wave_has_a_bar_for_each_day_with_an_answer_and_no_gaps(bea, carl, give):
    assert own_wave.of_person(bea).days == 0
    for ago, answers in ((0, 1), (1, 10), (40, 100), (300, 250)):
        give(bea, answers, NOW - ago * DAY)
    give(carl, 5)
    wave = own_wave.of_person(bea)
    assert wave.days == 4 and len(wave.heights) == own_wave.BARS
    assert wave.heights[:4] == [own_wave.height(answers) for answers in (250, 100, 10, 1)]
    assert max(wave.heights[4:]) < own_wave.height(1)


def test_the_wave_ends_with_the_newest_sixty_days(bea, give):
    for ago in range(70):
        give(bea, 1, NOW - ago * DAY)
    wave = own_wave.of_person(bea)
    assert wave.days == len(wave.heights) == own_wave.MOST_DAYS


def test_the_personal_page_tells_time_listened_and_released_labels(here, bea, carl, vote, juniper):
    from_settled = vote(juniper, (carl, "yes"), (bea, "yes"))
    from_settled.clip.seconds = 7200
    from_settled.clip.save()
    settle([from_settled])
    page = drawn(here, "/my-answers/")
    assert 'You have listened for <strong class="number">2.0</strong> hours.' in page
    assert "Your wave: one bar for the day you came." in page

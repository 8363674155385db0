"""Settled tasks that a reviewer should hear all the same: found once, and never changed by it."""

from datetime import timedelta

import pytest
from celery import current_app
from django.conf import settings as site

from datasets.models import Annotation, Campaign, Clip, Task
from tagger.models import Control, ReviewItem
from tagger.privacy import withdrawal
from tagger.review import acts, findings, queue, tasks
from tagger.settling import settlement
from tests.conftest import NOW
from tests.releases.test_between_feeds import scrub_all

LATER = NOW + timedelta(hours=1)


def settled(task, answer, speech_share=0.5, draft=""):
    """The task, settled by volunteers with this answer."""
    Clip.objects.filter(pk=task.clip_id).update(speech_share=speech_share)
    task.refresh_from_db()
    task.status, task.answer, task.settled_at, task.draft = Task.Status.SETTLED, answer, NOW, draft
    task.save()
    return task


def found(campaign, now=LATER):
    findings.sweep(campaign, now)
    return set(ReviewItem.objects.open().values_list("task", "reason"))


@pytest.mark.parametrize(
    ("answer", "speech_share", "differs"),
    [
        ("yes", 0.16, False),  # the least of the real wake words
        ("yes", 0.0, True),
        ("no", 0.0, False),
        ("noise", 0.31, True),
        ("noise", 0.3, False),
        ("similar", 1.0, False),
    ],
)
def test_a_label_differs_from_what_the_voice_detector_hears(
    juniper, add_tasks, answer, speech_share, differs
):
    [task] = add_tasks(juniper, 1)
    settled(task, answer, speech_share)
    assert found(juniper) == ({(task.pk, "machine-differs")} if differs else set())
    task.refresh_from_db()
    assert (task.status, task.answer) == ("settled", answer)


@pytest.mark.parametrize(
    ("answer", "speech_share", "draft", "differs"),
    [
        ("", 0.31, "", True),
        ("", 0.0, "", False),
        ("seven", 0.0, "", False),
        ("Turn on the lights.", 0.5, "turn on the lights", False),
        ("turn on the lights", 0.5, "turn off the light please", False),
        ("turn on the lights", 0.5, "the quick brown fox jumps", True),
        ("", 0.2, "thank you for watching", True),
    ],
)
def test_a_transcript_differs_from_a_draft_or_from_silence(
    sentences, add_tasks, answer, speech_share, draft, differs
):
    [task] = add_tasks(sentences, 1)
    settled(task, answer, speech_share, draft)
    assert found(sentences) == ({(task.pk, "machine-differs")} if differs else set())


def test_what_a_reviewer_left_as_it_is_is_not_found_again(juniper, rita, volunteers, add_tasks):
    decided, more, old = add_tasks(juniper, 3)
    for task in (decided, more):
        settled(task, "yes", 0.0)
    settled(old, "yes", 0.0)
    Task.objects.filter(pk=old.pk).update(settled_at=NOW - timedelta(days=2))
    assert found(juniper) == {(decided.pk, "machine-differs"), (more.pk, "machine-differs")}
    assert found(juniper) == {(decided.pk, "machine-differs"), (more.pk, "machine-differs")}
    acts.accept(ReviewItem.objects.get(task=decided), rita, "yes", LATER)
    acts.ask_more(ReviewItem.objects.get(task=more), rita, 2, LATER)
    for person in volunteers[:4]:
        Annotation.objects.create(task=more, annotator=person, answer="yes", created_at=LATER)
    Task.objects.filter(pk=more.pk).update(annotation_count=4, dirty_since=LATER)
    settlement.settle(more.pk, LATER)
    assert Task.objects.get(pk=more.pk).status == "settled"
    assert found(juniper) == set()


@pytest.mark.parametrize("answers", ["yes no no no yes", "noise similar no yes no"])
def test_a_control_that_most_people_miss_is_heard_by_a_reviewer(juniper, add_tasks, volunteers, answers):
    control, other, early = settled_controls(juniper, add_tasks)
    answer(control, volunteers, answers.split())
    answer(other, volunteers, ["yes", "yes", "yes", "no", "no"])
    answer(early, volunteers, ["no"] * 5, at=NOW - timedelta(hours=1))
    assert found(juniper) == {(control.pk, "control-missed")}
    assert Control.objects.filter(retired_at=None).count() == 3


def test_four_answers_say_nothing_about_a_control(juniper, add_tasks, volunteers):
    [control, *_] = settled_controls(juniper, add_tasks)
    answer(control, volunteers, ["no"] * 4)
    assert found(juniper) == set()


def settled_controls(campaign, add_tasks):
    tasks = [settled(task, "yes") for task in add_tasks(campaign, 3)]
    for task in tasks:
        Control.objects.create(task=task, campaign=campaign, answer="yes", since=NOW)
    return tasks


def answer(task, people, answers, at=LATER):
    for person, text in zip(people, answers, strict=False):
        Annotation.objects.create(task=task, annotator=person, answer=text, created_at=at)


def test_a_settled_task_whose_confidence_falls_says_so(juniper, add_tasks, volunteers, rita):
    [task] = add_tasks(juniper, 1)
    answer(task, volunteers, ["yes", "yes"])
    settle(task)
    assert Task.objects.get().status == "settled"
    Campaign.objects.update(max_annotations=4)
    answer(task, volunteers[2:], ["no", "no"])
    settle(task)
    [item] = queue.open_to(rita)
    assert (item.task, item.reason) == (task, "confidence-fell")
    Campaign.objects.update(max_annotations=9)
    answer(task, volunteers[4:], ["yes"] * 5)
    settle(task)
    assert Task.objects.get().status == "settled" and not ReviewItem.objects.open()


def settle(task):
    number = task.annotations.count()
    Task.objects.filter(pk=task.pk).update(annotation_count=number, dirty_since=NOW)
    settlement.settle(task.pk, NOW)


def test_a_sweep_passes_over_clips_whose_speakers_left(alice, juniper, sentences, add_tasks):
    for task in add_tasks(juniper, 2):
        settled(task, "yes", 0.0)
    for task in add_tasks(sentences, 2):
        settled(task, "", 0.0, "so it is")
    withdrawal.forget_account(alice, False, NOW)
    tasks.find_doubtful()
    scrub_all()
    assert not ReviewItem.objects.exists() and tasks.find_doubtful() == 0


def test_beat_looks_once_an_hour():
    names = {entry["task"] for entry in site.CELERY_BEAT_SCHEDULE.values()}
    assert tasks.find_doubtful.name in names & set(current_app.tasks)

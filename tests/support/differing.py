"""Answers that differ from the settled ones, for tests that begin there."""

from datetime import timedelta

from django.db.models import F

from datasets.models import Annotation, Task
from tagger.lending import repeats
from tagger.lending.assignments import CHANGEABLE
from tagger.models import Assignment


def keep_for_repeats(*tasks, is_kept=True):
    """Whether these tasks are among those that may be asked again, which is by chance."""
    spread = repeats.KEPT_BELOW - 1 if is_kept else repeats.KEPT_BELOW
    Task.objects.filter(pk__in=[task.pk for task in tasks]).update(spread=spread)


def answer(person, task, own, at):
    """This person's answer to a task, given by an assignment."""
    Assignment.objects.create(
        task=task, annotator=person, state="done", lent_at=at, expires_at=at + timedelta(minutes=15)
    )
    Task.objects.filter(pk=task.pk).update(annotation_count=F("annotation_count") + 1)
    task = Task.objects.select_related("campaign", "clip__contributor__data_key").get(pk=task.pk)
    return Annotation.objects.create(task=task, annotator=person, answer=own, created_at=at)


def settle(task, as_what, at):
    task = Task.objects.select_related("campaign", "clip__contributor__data_key").get(pk=task.pk)
    task.answer, task.status, task.settled_at, task.confidence = as_what, "settled", at, 0.8
    task.save()


def differ(person, task, own, as_what, at):
    """This person's answer, to a task that was settled otherwise. It is not kept for repeats."""
    keep_for_repeats(task, is_kept=False)
    given = answer(person, task, own, at)
    settle(task, as_what, at)
    return given


def answer_more(person, tasks, at):
    """As many later answers as can still be changed, so that earlier ones cannot."""
    assert len(tasks) == CHANGEABLE
    for task in tasks:
        answer(person, task, "yes", at)

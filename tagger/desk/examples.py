"""Clips that are played beside the guidelines, with the right answer: chosen and taken out by reviewers."""

from enum import StrEnum

from django.db import transaction
from django.db.models import QuerySet

from accounts import consent, notices
from accounts.keys import KeyLost
from accounts.models import Purpose, User
from accounts.refusals import Refusal
from datasets.models import Campaign, Example, Task

MOST = 8  # beside one question


class ExampleRefusal(StrEnum):
    SPEAKER_NOT_ASKED = "example-speaker-not-asked"


class ExampleRefused(Refusal):
    """The clip's speaker agreed to a notice that does not mention examples."""


def of(campaign: Campaign) -> list[Example]:
    """The newest ones whose clip may be heard now."""
    newest = shown().filter(task__campaign=campaign).order_by("-task__settled_at", "-pk")[:MOST]
    return list(filter(_opens, newest))


def for_reviewer(reviewer: User) -> QuerySet[Example]:
    """All that volunteers can hear, but for those of the reviewer's own voice."""
    return shown().exclude(task__clip__contributor=reviewer).order_by("task__campaign", "-task__settled_at")


def shown() -> QuerySet[Example]:
    """All that may be heard now."""
    live = Task.objects.live_for(Purpose.VOLUNTEERS, few=True, since=notices.EXAMPLES)
    settled = Example.objects.filter(is_shown=True, task__in=live, task__status=Task.Status.SETTLED)
    return settled.select_related("task__campaign", "task__clip__contributor__data_key")


def may_choose(task: Task) -> bool:
    """Its speaker agreed to words that name examples."""
    named = consent.live_for(
        "clip__contributor", "clip__material", Purpose.VOLUNTEERS, since=notices.EXAMPLES
    )
    return Task.objects.filter(named, pk=task.pk).exists()


def _opens(example: Example) -> bool:
    """Not when its speaker's key goes at this very moment."""
    try:
        return example.note is not None and example.task.answer is not None
    except KeyLost:
        return False


@transaction.atomic
def choose(task: Task, note: str) -> Example:
    """Show this settled task's clip with its answer from now on, which stands for good with that.

    Nobody is asked about it any more: it is no control and no repeat, and no answer to it is changed.
    Raises ExampleRefused.
    """
    if not may_choose(task):
        raise ExampleRefused(ExampleRefusal.SPEAKER_NOT_ASKED)
    Task.objects.filter(pk=task.pk).update(adjudicated=True)
    example = Example(task=task)
    example.note = note
    example.save()  # anew, or again what was taken out
    return example


def take_out(example: Example) -> None:
    """Show it no more. The row stays: what was shown with its answer never becomes a control."""
    example.is_shown = False
    example.save(update_fields=["is_shown"])

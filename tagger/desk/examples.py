"""Example clips with their right answers, next to a campaign's guidelines; reviewers choose them."""

from enum import StrEnum

from django.db import transaction
from django.db.models import QuerySet

from accounts import consent, notices
from accounts.keys import KeyLost
from accounts.models import Purpose, User
from accounts.refusals import Refusal
from datasets import reviewing
from datasets.models import Campaign, Example, Task

MOST_SHOWN = 8  # per campaign


class ExampleRefusal(StrEnum):
    SPEAKER_NOT_ASKED = "example-speaker-not-asked"


class ExampleRefused(Refusal):
    """Not shown as an example: the clip's speaker agreed to a notice that does not mention examples."""


def for_campaign(campaign: Campaign) -> list[Example]:
    """The newest examples whose clip may be heard now."""
    newest = shown().filter(task__campaign=campaign).order_by("-task__settled_at", "-pk")[:MOST_SHOWN]
    return list(filter(_is_readable, newest))


def for_reviewer(reviewer: User) -> QuerySet[Example]:
    """The examples of the campaigns that they review, except those in the reviewer's own voice."""
    own = shown().filter(task__campaign__in=reviewing.reviewed_by(reviewer))
    return own.exclude(task__clip__contributor=reviewer).order_by("task__campaign", "-task__settled_at")


def shown() -> QuerySet[Example]:
    """All examples that volunteers may hear now."""
    live = Task.objects.live_for(Purpose.VOLUNTEERS, per_row=True, since=notices.FIRST_WITH_EXAMPLES)
    settled = Example.objects.filter(is_shown=True, task__in=live, task__status=Task.Status.SETTLED)
    return settled.select_related("task__campaign", "task__clip__contributor__data_key")


def may_choose(task: Task) -> bool:
    """Whether the clip's speaker agreed to a notice that mentions examples."""
    named = consent.live_for(
        "clip__contributor", "clip__material", Purpose.VOLUNTEERS, since=notices.FIRST_WITH_EXAMPLES
    )
    return Task.objects.filter(named, pk=task.pk).exists()


def _is_readable(example: Example) -> bool:
    """False if the speaker's key was destroyed while this request ran."""
    try:
        return example.note is not None and example.task.answer is not None
    except KeyLost:
        return False


@transaction.atomic
def choose(task: Task, note: str) -> Example:
    """Show this settled task's clip and its answer from now on. The answer becomes final.

    Volunteers now see the answer, so the task is never a control or a repeat again, and no answer to it can
    be changed.
    Raises ExampleRefused.
    """
    if not may_choose(task):
        raise ExampleRefused(ExampleRefusal.SPEAKER_NOT_ASKED)
    task = Task.objects.locked_with_key().get(pk=task.pk)
    Task.objects.filter(pk=task.pk).update(adjudicated=True)
    example = Example(task=task)
    example.note = note
    example.save()  # inserts it, or updates the row of an example that was removed
    return example


def take_out(example: Example) -> None:
    """Stop showing it. The row stays, so that a clip once shown with its answer never becomes a control."""
    example.is_shown = False
    example.save(update_fields=["is_shown"])

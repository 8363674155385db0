"""A contributor's own clips: where each stands, and which of a device's still wait for their owner's word."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext

from accounts.models import User
from datasets.models import Clip, Label, Task, not_held


@dataclass(frozen=True)
class Question:
    """What one campaign asks of a clip, and how far the answers are."""

    title: str
    heard: int
    status: str
    answer: str
    is_example: bool
    releases: list[str]


@dataclass(frozen=True)
class Shown:
    clip: Clip
    questions: list[Question]


def own(contributor: User) -> QuerySet[Clip]:
    """What they may still hear and delete; somebody else's clip is as missing as one that never was."""
    return contributor.clips.filter(withdrawal=None)


def held(contributor: User) -> QuerySet[Clip]:
    """What nobody but its owner hears yet, the first to go out at the top."""
    return own(contributor).filter(held_until__gt=Now()).order_by("held_until", "id")


def sent_out(contributor: User) -> QuerySet[Clip]:
    """All others, also those that are being erased, the newest first."""
    gone_out = not_held("held_until") | Q(withdrawal__isnull=False)
    return contributor.clips.filter(gone_out).order_by("-created_at", "-id")


def keep(contributor: User, clips: Collection[int], now: datetime) -> int:
    """Let these out of their cooling-off at once; how many that were."""
    return held(contributor).filter(pk__in=clips).update(held_until=now)


def with_questions(clips: QuerySet[Clip]) -> list[Shown]:
    """These clips with what is asked of them, in a number of queries that does not grow with them."""
    read = clips.select_related("contributor__data_key").prefetch_related(
        "tasks__campaign", "tasks__release_rows__release", "tasks__example"
    )
    # What is being erased is not opened once more, not even for its owner.
    return [Shown(clip, [] if clip.withdrawal_id else _questions(clip)) for clip in read]


def _questions(clip: Clip) -> list[Question]:
    tasks = sorted(clip.tasks.all(), key=lambda task: task.campaign.slug)
    return [
        Question(
            title=task.campaign.title,
            heard=task.annotation_count,
            status=task.status,
            answer=_in_words(task) if task.status == Task.Status.SETTLED else "",
            is_example=hasattr(task, "example") and task.example.is_shown,
            releases=sorted(row.release.slug for row in task.release_rows.all()),
        )
        for task in tasks
    ]


def _in_words(task: Task) -> str:
    if task.campaign.asks_for_words:
        return gettext("“%(words)s”") % {"words": task.answer}
    return str(Label(task.answer).label)

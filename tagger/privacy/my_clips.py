"""A contributor's own clips: their progress, and which device uploads are still in their cooling-off."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Prefetch, Q, QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext

from accounts.models import User
from datasets.models import Clip, Label, ReleaseRow, Task, Withdrawal, not_held
from tagger.models import Decision


@dataclass(frozen=True)
class Question:
    """What one campaign asks about a clip, and the answers so far."""

    question: str
    heard: int
    status: str
    answer: str
    is_example: bool
    releases: list[str]


@dataclass(frozen=True)
class ClipWithQuestions:
    clip: Clip
    questions: list[Question]
    unusable: str = ""  # why a reviewer took it out of the queue, in words
    silenced: list[str] = field(default_factory=list)  # the parts, in seconds


def own(contributor: User) -> QuerySet[Clip]:
    """The clips that they may still hear and delete: none of another person's, and none being erased."""
    return contributor.clips.filter(withdrawal=None)


def held(contributor: User) -> QuerySet[Clip]:
    """Clips in their cooling-off, which only their owner can hear, ordered by when it ends."""
    return own(contributor).filter(held_until__gt=Now()).order_by("held_until", "id")


def shared(contributor: User) -> QuerySet[Clip]:
    """All other clips, newest first, including those being erased, but not a sound that was replaced."""
    shared_or_going = not_held("held_until") | Q(withdrawal__isnull=False)
    clips = contributor.clips.exclude(withdrawal__cause=Withdrawal.Cause.SILENCED)
    return clips.filter(shared_or_going).order_by("-created_at", "-id")


def end_cooling_off(contributor: User, clips: Collection[int], now: datetime) -> int:
    """End the cooling-off of these clips now; returns how many there were."""
    return held(contributor).filter(pk__in=clips).update(held_until=now)


def with_questions(clips: QuerySet[Clip]) -> list[ClipWithQuestions]:
    """These clips with what is asked about them, in a constant number of queries."""
    read = clips.select_related("contributor__data_key").prefetch_related(
        "tasks__campaign",
        Prefetch("tasks__release_rows", ReleaseRow.objects.listed().select_related("release")),
        "tasks__example",
        Prefetch("decisions", Decision.objects.filter(act=Decision.Act.UNUSABLE, undone_at=None)),
    )
    # A clip that is being erased is never decrypted again, not even for its owner.
    return [ClipWithQuestions(clip, []) if clip.withdrawal_id else _told(clip) for clip in read]


def destroyed(contributor: User, since: datetime) -> QuerySet[Withdrawal]:
    """What became of clips of theirs that reviewers destroyed since then, the last one first."""
    by_reviewers = Withdrawal.objects.filter(
        person_id=contributor.pk, cause=Withdrawal.Cause.DESTROYED, requested_at__gte=since
    )
    return by_reviewers.order_by("-requested_at")


def _told(clip: Clip) -> ClipWithQuestions:
    calls = sorted(clip.decisions.all(), key=lambda decision: decision.pk)
    is_unusable = any(task.status == Task.Status.UNUSABLE for task in clip.tasks.all())
    last = calls[-1] if calls and is_unusable else None
    return ClipWithQuestions(
        clip,
        _questions(clip),
        unusable=last.get_reason_display() if last else "",
        silenced=[f"{start:.1f}–{end:.1f}" for start, end in clip.silenced],
    )


def _questions(clip: Clip) -> list[Question]:
    tasks = sorted(clip.tasks.all(), key=lambda task: task.campaign.slug)
    return [
        Question(
            question=task.campaign.question_html,
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

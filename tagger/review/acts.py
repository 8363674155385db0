"""What a reviewer does to an item of the queue: an act locks it, changes the task or the clip, closes it.

Every act is an event of the audit record. With what it changed it is stored as a Decision, from which
tagger.review.undo brings back what was.
"""

from base64 import b64encode
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction

from accounts import audit
from accounts.models import User
from datasets.models import Clip, Task
from datasets.words import columns
from tagger.lending.assignments import checked
from tagger.models import Decision, ReviewItem

from . import second_looks
from .refusals import ReviewRefusal, ReviewRefused
from .settled import as_settled

MOST_MORE = 10  # answers that one act asks for
LONGEST_NOTE = 500
MOST_ANSWERS = 99  # of one task

Act = Decision.Act
Kind = ReviewItem.Kind

# What acts change in a task, and undoing them brings back.
TASK_COLUMNS = ("status", "wanted", "wanted_by_reviewer", "adjudicated", "settled_at", *columns("answer"))


@transaction.atomic
def accept(item: ReviewItem, reviewer: User, answer: str, now: datetime, note: str = "") -> Decision:
    """Settle the task of a dispute by this answer. Raises ReviewRefused, AnswerRefused and BadTranscript."""
    item, clip, tasks = lock(item, reviewer, now, only=Kind.DISPUTE)
    task = _of_dispute(item, tasks)
    answer = checked(answer, task.campaign)
    decision = begin(Act.ACCEPT, item, clip, reviewer, now, note, before=[task])
    decision.answer = answer
    task.status, task.adjudicated, task.settled_at = Task.Status.SETTLED, True, now
    # The confidence stays as the volunteers' votes left it: one reviewer does not make an answer certain.
    task.answer = as_settled(answer, task.campaign)
    finish(decision, item, [task])
    second_looks.ask_perhaps(item, task, now)
    return decision


@transaction.atomic
def ask_more(item: ReviewItem, reviewer: User, number: int, now: datetime, note: str = "") -> Decision:
    """Ask volunteers for so many more answers to the task of a dispute; until then nothing settles it.

    Raises ReviewRefused.
    """
    if not 1 <= number <= MOST_MORE:
        raise ReviewRefused(ReviewRefusal.NOT_A_NUMBER, most=MOST_MORE)
    item, clip, tasks = lock(item, reviewer, now, only=Kind.DISPUTE)
    task = _of_dispute(item, tasks)
    decision = begin(Act.ASK_MORE, item, clip, reviewer, now, note, before=[task])
    task.wanted = task.wanted_by_reviewer = min(task.annotation_count + number, MOST_ANSWERS)
    task.status, task.adjudicated, task.settled_at, task.answer = Task.Status.OPEN, False, None, None
    return finish(decision, item, [task])


@transaction.atomic
def call_unusable(item: ReviewItem, reviewer: User, reason: str, now: datetime, note: str = "") -> Decision:
    """Take the clip out of the queue and of later releases, and keep it for its owner, who sees the reason.

    Reports of it were right. Raises ReviewRefused.
    """
    if reason not in Decision.UnusableReason.values:
        raise ReviewRefused(ReviewRefusal.NOT_A_REASON, reasons=", ".join(Decision.UnusableReason.values))
    item, clip, tasks = lock(item, reviewer, now)
    decision = begin(Act.UNUSABLE, item, clip, reviewer, now, note, before=tasks)
    decision.reason = reason
    for task in tasks:
        task.status, task.answer, task.settled_at = Task.Status.UNUSABLE, None, None
    uphold_reports(clip, now)
    return finish(decision, item, tasks)


@transaction.atomic
def put_back_in_queue(item: ReviewItem, reviewer: User, now: datetime, note: str = "") -> Decision:
    """Show a reported clip again. Its reports were reasonable, and do not count against who made them.

    Raises ReviewRefused.
    """
    item, clip, _tasks = lock(item, reviewer, now, only=Kind.REPORT)
    decision = begin(Act.RETURN, item, clip, reviewer, now, note, before=[])
    uphold_reports(clip, now)
    Clip.objects.filter(pk=clip.pk).update(hidden_at=None)
    return finish(decision, item, [])


@transaction.atomic
def dismiss(item: ReviewItem, reviewer: User, now: datetime, note: str = "") -> Decision:
    """Dismiss all reports of the clip and show it again: the reviewer found nothing wrong with it.

    Raises ReviewRefused.
    """
    item, clip, _tasks = lock(item, reviewer, now, only=Kind.REPORT)
    decision = begin(Act.DISMISS, item, clip, reviewer, now, note, before=[])
    clip.reports.open().update(dismissed_at=now)
    Clip.objects.filter(pk=clip.pk).update(hidden_at=None)
    return finish(decision, item, [])


@transaction.atomic
def clear(item: ReviewItem, reviewer: User, now: datetime, note: str = "") -> Decision:
    """Clear a clip in which a privacy reviewer heard something, or was not sure: nothing in it is private.

    Raises ReviewRefused.
    """
    item, clip, _tasks = lock(item, reviewer, now, only=Kind.CHECK)
    decision = begin(Act.CLEAR, item, clip, reviewer, now, note, before=[])
    Clip.objects.filter(pk=clip.pk).update(cleared_at=now)
    return finish(decision, item, [])


def state_of(task: Task) -> dict[str, Any]:
    """The columns of TASK_COLUMNS, ready for JSON, and how many annotations there are."""
    stored = {name: getattr(task, name) for name in (*TASK_COLUMNS, "annotation_count")}
    stored["sealed_answer"] = b64encode(bytes(task.sealed_answer)).decode()
    stored["settled_at"] = task.settled_at and task.settled_at.isoformat()
    return stored


def lock(
    item: ReviewItem, reviewer: User, now: datetime, only: Kind | None = None
) -> tuple[ReviewItem, Clip, list[Task]]:
    """The item, its clip and the clip's tasks, read again under their locks, in the order of the site.

    Raises ReviewRefused: decided in the meantime, lent to another reviewer, or not an act for this kind.
    """
    locked = list(Task.objects.filter(clip=item.clip_id).locked_with_key().order_by("pk"))
    clip = Clip.objects.select_for_update(no_key=True).get(pk=item.clip_id)
    current = ReviewItem.objects.select_for_update(no_key=True).get(pk=item.pk)
    if current.closed_at is not None:
        raise ReviewRefused(ReviewRefusal.ALREADY_DECIDED)
    if current.reviewer_id not in {None, reviewer.pk} and current.lent_until and current.lent_until > now:
        raise ReviewRefused(ReviewRefusal.TAKEN_BY_ANOTHER)
    if only and current.kind != only:
        raise ReviewRefused(ReviewRefusal.NOT_FOR_KIND)
    return current, clip, locked


def _of_dispute(item: ReviewItem, tasks: Iterable[Task]) -> Task:
    return next(task for task in tasks if task.pk == item.task_id)


def begin(
    act: Act, item: ReviewItem, clip: Clip, reviewer: User, now: datetime, note: str, before: Iterable[Task]
) -> Decision:
    """The decision, not stored yet, with what is so far. Raises ReviewRefused."""
    if len(note) > LONGEST_NOTE:
        raise ReviewRefused(ReviewRefusal.NOTE_TOO_LONG, most=LONGEST_NOTE)
    decision = Decision(
        item=item, clip=clip, campaign=item.campaign, reviewer=reviewer, act=act, decided_at=now
    )
    decision.note = note
    decision.before = {
        "tasks": {str(task.pk): state_of(task) for task in before},
        "hidden_at": clip.hidden_at and clip.hidden_at.isoformat(),
    }
    return decision


def uphold_reports(clip: Clip, now: datetime) -> None:
    clip.reports.open().update(upheld_at=now)


def finish(decision: Decision, item: ReviewItem, changed: Iterable[Task]) -> Decision:
    for task in changed:
        task.save(update_fields=TASK_COLUMNS)
    decision.save()
    item.closed_at, item.reviewer, item.lent_until = decision.decided_at, None, None
    item.save(update_fields=["closed_at", "reviewer", "lent_until"])
    _close_what_is_over(item, decision.decided_at)
    if act := AUDITED.get(Act(decision.act)):
        audit.record(act, f"clip {decision.clip_id}", decision.reviewer, decision.decided_at)
    return decision


def _close_what_is_over(item: ReviewItem, now: datetime) -> None:
    """Other open items of the clip, where there is nothing left to decide."""
    tasks = dict(Task.objects.filter(clip=item.clip_id).values_list("pk", "status"))
    unusable = [pk for pk, status in tasks.items() if status == Task.Status.UNUSABLE]
    others = ReviewItem.objects.open().filter(clip=item.clip_id)
    if len(unusable) == len(tasks):
        others.close(now)
    elif unusable:
        others.filter(task__in=unusable).close(now)


# Silencing and destroying record what they do themselves.
AUDITED = {
    Act.ACCEPT: audit.Act.DECIDED,
    Act.ASK_MORE: audit.Act.ASKED_MORE,
    Act.UNUSABLE: audit.Act.CALLED_UNUSABLE,
    Act.RETURN: audit.Act.RETURNED,
    Act.DISMISS: audit.Act.DISMISSED,
    Act.CLEAR: audit.Act.CLEARED,
}

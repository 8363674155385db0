"""Undo a reviewer's act: the task, the clip and the item are again as they were, to the byte.

Only one of the reviewer's last acts, and only as long as nothing was released on it, nobody decided on the
clip again, and what it changed is as the act left it.
"""

from base64 import b64decode
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce

from accounts import audit
from accounts.models import User
from datasets.models import Clip, ReleaseRow, Task
from tagger.models import Decision, ReviewItem

from . import second_looks
from .acts import TASK_COLUMNS
from .refusals import ReviewRefusal, ReviewRefused

UNDOABLE = 10  # of a reviewer's acts, the last ones
FOR_GOOD = frozenset({Decision.Act.SILENCE, Decision.Act.DESTROY})
SHOWS_AGAIN = frozenset({Decision.Act.RETURN, Decision.Act.DISMISS})


def last_of(reviewer: User) -> list[Decision]:
    """The reviewer's last acts that were not undone, newest first."""
    done = (
        reviewer.decisions.filter(undone_at=None)
        .exclude(act__in=FOR_GOOD)
        .select_related("campaign", "item", "clip")
    )
    return list(done.order_by("-decided_at", "-pk")[:UNDOABLE])


@transaction.atomic
def undo(decision: Decision, reviewer: User, now: datetime) -> ReviewItem:
    """Undo one of the reviewer's last acts; returns its item, open again. Raises ReviewRefused."""
    tasks = Task.objects.select_for_update(no_key=True).filter(clip=decision.clip_id).order_by("pk")
    by_number = {task.pk: task for task in tasks}
    clip = Clip.objects.select_for_update(no_key=True).get(pk=decision.clip_id)
    decision = Decision.objects.select_for_update(no_key=True).get(pk=decision.pk)
    _check(decision, reviewer)
    second_looks.call_off(list(by_number))
    for number, state in decision.before["tasks"].items():
        _restore(by_number[int(number)], state, now)
    clip.reports.filter(dismissed_at=decision.decided_at).update(dismissed_at=None)
    clip.reports.filter(upheld_at=decision.decided_at).update(upheld_at=None)
    if decision.act == Decision.Act.CLEAR:
        Clip.objects.filter(pk=clip.pk).update(cleared_at=None)
    if decision.act in SHOWS_AGAIN:
        Clip.objects.filter(pk=clip.pk).update(hidden_at=decision.before["hidden_at"])
    closed = ReviewItem.objects.filter(clip=clip, closed_at=decision.decided_at)
    closed.update(closed_at=None, reviewer=None, lent_until=None)
    decision.undone_at = now
    decision.save(update_fields=["undone_at"])
    audit.record(audit.Act.UNDID, f"clip {clip.pk}", reviewer, now)
    return ReviewItem.objects.get(pk=decision.item_id)


def _check(decision: Decision, reviewer: User) -> None:
    if decision.undone_at is not None:
        raise ReviewRefused(ReviewRefusal.UNDONE_ALREADY)
    if decision.act in FOR_GOOD:
        raise ReviewRefused(ReviewRefusal.FOR_GOOD)
    if decision not in last_of(reviewer):
        raise ReviewRefused(ReviewRefusal.NOT_AMONG_LAST, number=UNDOABLE)
    if not decision.before:  # an older site kept nothing to undo it by
        raise ReviewRefused(ReviewRefusal.CHANGED_SINCE)
    tasks = [int(number) for number in decision.before["tasks"]]
    decided = Q(task__in=tasks)
    if decision.act == Decision.Act.CLEAR:  # by it, all of the clip's tasks may be released
        decided = Q(task__clip=decision.clip_id)
    released = ReleaseRow.objects.filter(decided, release__published_at__gte=decision.decided_at)
    if released.exists():
        raise ReviewRefused(ReviewRefusal.RELEASED_SINCE)
    later = Decision.objects.filter(clip=decision.clip_id, undone_at=None, pk__gt=decision.pk)
    # Opened again since: by a new report, or because the answers that were asked for do not agree either.
    is_open_again = ReviewItem.objects.open().filter(
        clip=decision.clip_id, opened_at__gte=decision.decided_at
    )
    is_open_again = is_open_again.exclude(reason=ReviewItem.Reason.SECOND_LOOK)
    if later.exists() or is_open_again.exists() or not decision.item.closed_at:
        raise ReviewRefused(ReviewRefusal.CHANGED_SINCE)


def _restore(task: Task, state: dict[str, Any], now: datetime) -> None:
    """If answers came since, they are counted again."""
    stored = {name: state[name] for name in TASK_COLUMNS}
    stored["sealed_answer"] = b64decode(state["sealed_answer"])
    recounted = {"dirty_since": Coalesce(F("dirty_since"), now)}
    came = task.annotation_count != state["annotation_count"]
    Task.objects.filter(pk=task.pk).update(**stored, **(recounted if came else {}))

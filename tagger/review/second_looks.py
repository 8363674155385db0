"""A share of decisions is looked at again by a second reviewer, who does not see the first one's.

It says how well reviewers agree, to themselves and to admins. The second decision stands.
"""

import random
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, Q

from accounts.ciphers import KeyLost
from accounts.models import User
from datasets.models import Task
from tagger.consensus.intervals import wilson
from tagger.models import Decision, ReviewItem

from .settled import as_settled

LATELY = timedelta(days=365)
MOST = 1_000  # second looks that are compared, the last ones

dice = random.SystemRandom()


@dataclass(frozen=True)
class Record:
    """How much one reviewer decided, and how often another one agreed. Days are those until now."""

    reviewer: int
    today: int
    week: int
    month: int
    looked_at: int  # decisions with a second look, of theirs or by them
    agreed: int
    overturned: int  # decisions of theirs that a second look changed

    @property
    def interval_percent(self) -> tuple[int, int]:
        low, high = wilson(self.agreed, self.looked_at)
        return round(100 * low), round(100 * high)


def ask_perhaps(item: ReviewItem, task: Task, now: datetime) -> None:
    """Open an item for a second look at a decision, by chance. The task's row is locked."""
    if item.reason != ReviewItem.Reason.SECOND_LOOK and dice.random() < settings.SECOND_LOOKS_SHARE:
        ReviewItem.objects.open_disputes([task], ReviewItem.Reason.SECOND_LOOK, now)


def call_off(tasks: Collection[int]) -> None:
    """The decisions on these tasks are undone, so nobody needs to look at them again."""
    ReviewItem.objects.open().filter(task__in=tasks, reason=ReviewItem.Reason.SECOND_LOOK).delete()


def records(now: datetime, reviewer: User | None = None) -> list[Record]:
    """Of everyone who decided something in the last 30 days, or of this reviewer; most decisions first."""
    compared = _compared(now)
    done = Decision.objects.filter(
        undone_at=None, reviewer__is_active=True, decided_at__gt=now - timedelta(days=30)
    )
    rows = (done.filter(reviewer=reviewer) if reviewer else done).values("reviewer").order_by()
    counted = rows.annotate(
        today=Count("pk", filter=Q(decided_at__gt=now - timedelta(days=1))),
        week=Count("pk", filter=Q(decided_at__gt=now - timedelta(days=7))),
        month=Count("pk"),
    )
    return [_record(row, compared) for row in counted.order_by("-month", "reviewer")]


def _record(row: Mapping[str, Any], compared: list[tuple[int | None, int | None, bool]]) -> Record:
    who = row["reviewer"]
    own = [agree for first, second, agree in compared if who in (first, second)]
    overturned = sum(first == who and not agree for first, _second, agree in compared)
    return Record(who, row["today"], row["week"], row["month"], len(own), sum(own), overturned)


def _compared(now: datetime) -> list[tuple[int | None, int | None, bool]]:
    """Who decided first, who looked again, and whether they agree, in a constant number of statements."""
    accepted = Decision.objects.filter(act=Decision.Act.ACCEPT, undone_at=None).select_related(
        "item__task", "campaign", "clip__contributor__data_key"
    )
    is_second = Q(item__reason=ReviewItem.Reason.SECOND_LOOK)
    again = list(accepted.filter(is_second, decided_at__gt=now - LATELY).order_by("-pk")[:MOST])
    tasks = [each.item.task_id for each in again]
    first: dict[int | None, list[Decision]] = {}
    for each in accepted.filter(~is_second, item__task__in=tasks).order_by("-pk"):
        first.setdefault(each.item.task_id, []).append(each)
    pairs = []
    for second in again:
        before = next((each for each in first.get(second.item.task_id, []) if each.pk < second.pk), None)
        if before is not None and (agree := _agree(before, second)) is not None:
            pairs.append((before.reviewer_id, second.reviewer_id, agree))
    return pairs


def _agree(one: Decision, other: Decision) -> bool | None:
    """None if the speaker left while this ran."""
    try:
        return as_settled(one.answer, one.campaign) == as_settled(other.answer, other.campaign)
    except KeyLost:
        return None

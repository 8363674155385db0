"""Bring what was learned to every task that it changes, settled ones too: the only writer of `stale_since`.

A refit marks the tasks whose confidence it moves. Workers settle these again in batches, and only while no
answer waits to be settled. If nearly all are to be settled again, after an upgrade of the engine or where
samples say so, none is marked: the crowd says below which number that is still owed. What is owed is in the
database, so a worker that is killed loses one batch; marks that a refit could not write, the next one finds.
"""

import logging
import secrets
from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import datetime
from itertools import islice

from django.db import transaction
from django.db.models import Max, Min, QuerySet

from datasets.models import Campaign, Task
from tagger.models import Crowd
from tagger.settling import settlement
from tagger.settling.settlement import BATCH_SIZE

from . import changes, owed

logger = logging.getLogger(__name__)

MARKED_TOGETHER = 500

# Of tasks that a refit cannot compare, so many are settled again as a sample. If at least this share of them
# changes, all are. If none of 400 does, at most 0.75 % of all do (95 %).
SAMPLE, WORTH_A_RECOUNT = 400, 0.01


def mark(task_ids: Iterable[int], now: datetime) -> int:
    """Have these settled again; returns how many. No transaction holds more than a few of them."""
    ids, marked = iter(task_ids), 0
    while some := list(islice(ids, MARKED_TOGETHER)):
        marked += _mark(some, now)
    return marked


@transaction.atomic
def _mark(some: Collection[int], now: datetime) -> int:
    new = Task.objects.filter(pk__in=some, stale_since=None).order_by("pk")
    # Locked in order, as everywhere that several tasks are locked.
    locked = list(new.select_for_update(no_key=True).values_list("pk", flat=True))
    return Task.objects.filter(pk__in=locked).update(stale_since=now)


def recount_all(kind: str, language: str, below: int | None = None) -> None:
    """Have all tasks of the crowd settled again, or those with lower numbers than `below`."""
    owed_below = _newest(kind, language) + 1 if below is None else below
    Crowd.objects.filter(kind=kind, language=language).update(recount_below=owed_below)


def is_owed_whole(kind: str, language: str) -> bool:
    """Whether all tasks of the crowd are to be settled again anyway."""
    newest = _newest(kind, language)
    return Crowd.objects.filter(kind=kind, language=language, recount_below__gt=newest).exists()


def _newest(kind: str, language: str) -> int:
    """The highest number of a task that was settled once; 0 if there is none."""
    return _of(kind, language).aggregate(newest=Max("pk"))["newest"] or 0


def _of(kind: str, language: str) -> QuerySet[Task]:
    # By the numbers of its campaigns, so that no batch joins them.
    campaigns = Campaign.objects.filter(kind=kind, language=language)
    return Task.objects.filter(
        campaign__in=list(campaigns.values_list("pk", flat=True)), confidence__isnull=False
    )


def some(now: datetime) -> int:
    """Settle one batch of what is owed; returns how many tasks. Workers may do so in parallel."""
    return _marked(now) or _of_recounts(now)


def _marked(now: datetime) -> int:
    try:
        return len(settlement.settle_waiting(now, BATCH_SIZE, queue=settlement.STALE))
    except Exception:
        logger.exception("a batch cannot be settled again together; trying each task alone")
    return _each_alone(settlement.waiting(BATCH_SIZE, (), settlement.STALE), now)


def _of_recounts(now: datetime) -> int:
    crowds = Crowd.objects.filter(recount_below__isnull=False).order_by("pk")
    return next(filter(None, (_step(crowd, now) for crowd in crowds.values_list("pk", flat=True))), 0)


@transaction.atomic
def _step(crowd_id: int, now: datetime) -> int:
    """One batch; 0 if it is finished, or another worker is at it."""
    locked = Crowd.objects.select_for_update(skip_locked=True, no_key=True).only(
        "kind", "language", "recount_below"
    )
    crowd = locked.filter(pk=crowd_id, recount_below__isnull=False).first()
    if crowd is None:
        return 0
    left = _of(crowd.kind, crowd.language).filter(pk__lt=crowd.recount_below)
    batch = list(left.order_by("-pk").values_list("pk", flat=True)[:BATCH_SIZE])
    if batch:
        _settle(batch, now)
    crowd.recount_below = batch[-1] if batch else None
    crowd.save(update_fields=["recount_below"])
    return len(batch)


def _settle(task_ids: list[int], now: datetime) -> None:
    try:
        settlement.settle_these(task_ids, now)
    except Exception:
        logger.exception("a batch cannot be settled again together; trying each task alone")
        _each_alone(task_ids, now)


def _each_alone(task_ids: list[int], now: datetime) -> int:
    """One that cannot be settled again stays as it is, and in nobody's way: the next refit finds it again."""
    failed = settlement.settle_each_alone(task_ids, now)
    Task.objects.filter(pk__in=failed).update(stale_since=None)
    return len(task_ids)


def check_older(kind: str, language: str, below: int, now: datetime) -> None:
    """Settle again a sample of the tasks with numbers below `below`; all of them, if that is worth it."""
    crowd = Crowd.objects.filter(kind=kind, language=language, recount_below=None)
    older = _of(kind, language).filter(pk__lt=below)
    if not crowd.exists() or not (sample := _sample(older)):
        return
    columns = "confidence", "status", "campaign__confidence"
    before = _by_task(sample, *columns)
    for batch in _batches(sample):
        _settle(batch, now)
    after = _by_task(sample, *columns)
    changed = [
        changes.matters(was[0], is_[0], is_[2]) or was[1] != is_[1]
        for was, is_ in ((before[pk], after[pk]) for pk in before.keys() & after.keys())
    ]
    if sum(changed) >= WORTH_A_RECOUNT * len(changed) > 0:
        recount_all(kind, language, below)


def _sample(tasks: QuerySet[Task]) -> list[int]:
    """Up to `SAMPLE` of them, each the first from a random number on."""
    ends = tasks.aggregate(first=Min("pk"), last=Max("pk"))
    if ends["first"] is None:
        return []
    places = {ends["first"] + secrets.randbelow(ends["last"] - ends["first"] + 1) for _ in range(SAMPLE)}
    firsts = (
        tasks.filter(pk__gte=each).order_by("pk").values_list("pk", flat=True).first() for each in places
    )
    return sorted({pk for pk in firsts if pk is not None})


def _by_task(task_ids: list[int], *columns: str) -> dict[int, tuple[float, str, float]]:
    rows = Task.objects.filter(pk__in=task_ids).exclude(confidence=None).values_list("pk", *columns)
    return {pk: (confidence, status, goal) for pk, confidence, status, goal in rows}


def _batches(task_ids: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(task_ids), BATCH_SIZE):
        yield task_ids[start : start + BATCH_SIZE]


def settle_owed(campaigns: Collection[Campaign], clock: Callable[[], datetime]) -> Iterator[int]:
    """Settle now what is owed to these campaigns; yields how many tasks each batch had.

    For whoever waits for today's figures: the worker would do it in its time.
    """
    last = 0
    while batch := list(
        owed.of(campaigns).filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:BATCH_SIZE]
    ):
        last = batch[-1]
        _settle(batch, clock())
        yield len(batch)

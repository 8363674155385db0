"""Apply verdicts to tasks: lock them, recount all of their annotations, write the rows."""

import logging
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Prefetch, QuerySet, prefetch_related_objects

from datasets.models import Annotation, Campaign, Task
from datasets.words import columns
from tagger.consensus.verdict import Outcome, Rule, TrackRecord, Verdict
from tagger.models import ReviewItem

from . import bulk, certificates, crowds, engine, person_weights, track_records
from .certificates import Certificate

logger = logging.getLogger(__name__)


def settle(task_id: int, now: datetime) -> None:
    """Recount one task. Running it twice changes nothing; a task that is gone is no error."""
    with transaction.atomic():
        found = list(_locked().filter(pk=task_id))
        _settle(found, now)
    _grant_track_records(found)


# The two queues, each a column that says since when a task waits in it. Whatever is new waits in the first;
# in the second, what a refit learned that moves a task's confidence (tagger.learning.recomputing).
FRESH, STALE = "dirty_since", "stale_since"

BATCH_SIZE = 25  # tasks locked together: a volunteer who answers one of them waits for the whole batch


def settle_each_alone(task_ids: Collection[int], now: datetime) -> list[int]:
    """After a batch that could not be settled together; the ids of those that cannot be settled alone."""
    failed = []
    for task_id in task_ids:
        try:
            settle(task_id, now)
        except Exception:
            logger.exception("task %s cannot be settled", task_id)
            failed.append(task_id)
    return failed


def settle_waiting(now: datetime, limit: int, skip: Collection[int] = (), queue: str = FRESH) -> list[int]:
    """Recount up to `limit` waiting tasks, the longest waiting first; returns their ids.

    Workers may do so in parallel: each passes over tasks that another has locked, and those in `skip`.
    """
    with transaction.atomic():
        found = list(_waiting(_locked(skip_locked=True), skip, queue)[:limit])
        _settle(found, now)
    _grant_track_records(found)
    return [task.pk for task in found]


def settle_these(task_ids: Collection[int], now: datetime) -> Counter[tuple[str, str]]:
    """Recount these tasks in one transaction; how many went from which status to which."""
    with transaction.atomic():
        found = list(_locked().filter(pk__in=task_ids).order_by("pk"))
        before = {task.pk: task.status for task in found}
        _settle(found, now)
    _grant_track_records(found)
    return Counter((before[task.pk], task.status) for task in found)


def waiting(limit: int, skip: Collection[int], queue: str = FRESH) -> list[int]:
    """The ids of up to `limit` waiting tasks, the longest waiting first."""
    return list(_waiting(Task.objects.all(), skip, queue).values_list("pk", flat=True)[:limit])


def _waiting(some: QuerySet[Task], skip: Collection[int], queue: str) -> QuerySet[Task]:
    return some.filter(**{f"{queue}__isnull": False}).exclude(pk__in=skip).order_by(queue)


def _locked(skip_locked: bool = False) -> QuerySet[Task]:
    return Task.objects.select_for_update(skip_locked=skip_locked, no_key=True)


def _settle(found: list[Task], now: datetime) -> None:
    """Settle these tasks, whose rows are locked, in a number of statements that does not grow with them."""
    prefetch_related_objects(found, "campaign", Prefetch("annotations", Annotation.objects.order_by("pk")))
    settled_before = {task.pk for task in found if task.status == Task.Status.SETTLED}
    # Only transcripts are sealed: labels need no key.
    transcribed = [task for task in found if task.campaign.asks_for_words]
    prefetch_related_objects(transcribed, "clip__contributor__data_key")
    for campaign, some in _by_campaign(found):
        given = [each for task in some for each in task.annotations.all()]
        crowd, with_record = crowds.for_campaign(campaign, given), _with_record(campaign, given)
        of_people = person_weights.among(campaign, _people(given))
        for task in some:
            weights = _weights(task, of_people)
            record = _track_record(task, with_record, weights)
            verdict, certificate = _verdict(task, crowd, record, weights)
            _apply(verdict, certificate, task, weights.count(0), now)
    for task in found:
        task.dirty_since = task.stale_since = None
    bulk.update(found, [FRESH, STALE, *WRITTEN])
    _dispute([task for task in found if not task.adjudicated], settled_before, now)


def _grant_track_records(settled: list[Task]) -> None:
    """To those who answered a control rightly. It holds no task; if it is killed, the next refit does it."""
    for campaign, some in _by_campaign(settled):
        if campaign.needs_track_record:
            track_records.grant_for_controls(campaign.kind, campaign.language, some)


def _by_campaign(some: list[Task]) -> Iterable[tuple[Campaign, list[Task]]]:
    by_campaign: dict[Campaign, list[Task]] = {}
    for task in some:
        by_campaign.setdefault(task.campaign, []).append(task)
    return by_campaign.items()


def _with_record(campaign: Campaign, given: Iterable[Annotation]) -> set[int] | None:
    """Those of these annotators who have a track record; None if the campaign needs no one who has."""
    if not campaign.needs_track_record:
        return None
    return track_records.among(campaign.kind, campaign.language, _people(given))


def _people(given: Iterable[Annotation]) -> set[int]:
    return {each.annotator_id for each in given if each.annotator_id is not None}


def _weights(task: Task, of_people: Mapping[int, float]) -> list[float]:
    """The weight of each of its annotations, in the order of their rows; empty if all are 1."""
    found = [of_people.get(each.annotator_id or 0, 1.0) for each in task.annotations.all()]
    return [] if all(weight == 1 for weight in found) else found


def _track_record(task: Task, with_record: set[int] | None, weights: Sequence[float]) -> TrackRecord | None:
    """Of those whose answers count."""
    if with_record is None:
        return None
    given = list(task.annotations.all())
    counted = [each for each, weight in zip(given, weights or [1.0] * len(given), strict=True) if weight]
    is_found = any(each.annotator_id in with_record for each in counted)
    return TrackRecord.FOUND if is_found or task.kept_record else TrackRecord.MISSING


def _dispute(some: list[Task], settled_before: set[int], now: datetime) -> None:
    """Open disputes over disputed tasks; close those of tasks that agree again."""
    disputed = [task for task in some if task.status == Task.Status.DISPUTED]
    fell = [task for task in disputed if task.pk in settled_before]
    others = [task for task in disputed if task.pk not in settled_before]
    ReviewItem.objects.open_disputes(fell, Reason.CONFIDENCE_FELL, now)
    ReviewItem.objects.open_disputes(others, Reason.NO_AGREEMENT, now)
    agreed = [task.pk for task in some if task.status != Task.Status.DISPUTED]
    ReviewItem.objects.open().filter(task__in=agreed, reason__in=OVER_IF_AGREED).close(now)


Reason = ReviewItem.Reason
OVER_IF_AGREED = (Reason.NO_AGREEMENT, Reason.CONFIDENCE_FELL)


WRITTEN = [
    *("status", "wanted", "confidence", "settled_at", "awaits_record", "fell_with"),
    *columns("answer", "soft", "certificate"),
]


def _verdict(
    task: Task, crowd: engine.EngineCrowd, record: TrackRecord | None, weights: Sequence[float]
) -> tuple[Verdict, Certificate]:
    """The verdict on all annotations of the task, by its campaign's rule, and its certificate.

    What is settled stays settled with the same answer, also when whoever had a track record was erased.
    """
    given = list(task.annotations.all())
    for each in given:
        each.task = task  # whose key opens them
    settled_as = task.answer if task.status == Task.Status.SETTLED else None
    fell = 0 < task.fell_with == task.annotation_count
    return certificates.make(task.campaign.kind, given, _rule(task), crowd, record, settled_as, weights, fell)


def _rule(task: Task) -> Rule:
    """The campaign's; but after a reviewer asked for more answers, not before these have come."""
    campaign, asked = task.campaign, task.wanted_by_reviewer
    least, most = max(campaign.min_annotations, asked), max(campaign.max_annotations, asked)
    return Rule(least, most, campaign.confidence)


def _apply(found: Verdict, certificate: Certificate, task: Task, left_out: int, now: datetime) -> None:
    """`left_out`: its answers that have no weight. Others are asked for in their place."""
    task.soft, task.confidence, task.certificate = found.soft, found.confidence, certificate
    task.awaits_record = found.withheld and not task.adjudicated
    if task.adjudicated or task.status == Task.Status.UNUSABLE:
        return  # a reviewer's decision is final, and the votes say what they said
    settled = found.outcome is Outcome.SETTLED
    task.fell_with = task.annotation_count if "again_from" in certificate else 0
    task.status = STATUS[found.outcome]
    task.answer = found.answer if settled else None
    task.settled_at = (task.settled_at or now) if settled else None
    rule = _rule(task)
    task.wanted = min(max(rule.least + left_out, task.annotation_count + 1), rule.most + left_out)


STATUS = {
    Outcome.SETTLED: Task.Status.SETTLED,
    Outcome.MORE: Task.Status.OPEN,
    Outcome.DISPUTED: Task.Status.DISPUTED,
}

"""Apply a verdict to a task: the lock is taken, every annotation is counted again, the row is written."""

from datetime import datetime

from django.db import transaction

from datasets.models import Campaign, Label, Task
from datasets.words import columns

from .consensus import labels, transcripts
from .consensus.verdict import Outcome, Rule, Verdict, Vote
from .models import Dispute


def settle(task_id: int, now: datetime) -> None:
    """Recount one task. Running it twice changes nothing; a task that is gone is no error."""
    with transaction.atomic():
        task = (
            Task.objects.select_for_update(of=("self",), no_key=True)
            .select_related("campaign", "clip__contributor__data_key")
            .filter(pk=task_id)
            .first()
        )
        if task is None:
            return
        task.dirty_since = None
        if not task.adjudicated:  # a reviewer's word stands
            _apply(verdict(task), task, now)
        task.save(update_fields=["dirty_since", *WRITTEN])


WRITTEN = ["status", "wanted", "confidence", "settled_at", *columns("answer", "soft")]


def verdict(task: Task) -> Verdict:
    """What the task's annotations come to, from all of them, by the campaign's rule."""
    campaign = task.campaign
    votes = [Vote(given.annotator_id, given.answer) for given in task.annotations.all()]
    rule = Rule(campaign.min_annotations, campaign.max_annotations, campaign.confidence)
    if campaign.kind == Campaign.Kind.WAKE_WORD:
        return labels.decide(votes, rule, Label.values)
    return transcripts.decide(votes, rule)


def _apply(found: Verdict, task: Task, now: datetime) -> None:
    settled = found.outcome is Outcome.SETTLED
    task.status = STATUS[found.outcome]
    task.soft, task.confidence = found.soft, found.confidence
    task.answer = found.answer if settled else None
    task.settled_at = (task.settled_at or now) if settled else None
    task.wanted = min(
        max(task.campaign.min_annotations, task.annotation_count + 1), task.campaign.max_annotations
    )
    if found.outcome is Outcome.DISPUTED:
        Dispute.objects.get_or_create(task=task, defaults={"opened_at": now})
    else:
        Dispute.objects.filter(task=task, decided_at=None).delete()


STATUS = {
    Outcome.SETTLED: Task.Status.SETTLED,
    Outcome.MORE: Task.Status.OPEN,
    Outcome.DISPUTED: Task.Status.DISPUTED,
}

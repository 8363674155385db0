"""Apply a verdict to a task: the lock is taken, every annotation is counted again, the row is written."""

from datetime import datetime

from django.db import transaction

from datasets.models import Task
from datasets.words import columns

from . import certificates, crowds
from .certificates import Certificate
from .consensus.verdict import Outcome, Rule, Verdict
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
            _apply(*verdict(task), task, now)
        task.save(update_fields=["dirty_since", *WRITTEN])


WRITTEN = ["status", "wanted", "confidence", "settled_at", *columns("answer", "soft", "certificate")]


def verdict(task: Task) -> tuple[Verdict, Certificate]:
    """What the task's annotations come to, from all of them, by the campaign's rule and what is known of
    those who gave them; and the certificate of that."""
    campaign = task.campaign
    rule = Rule(campaign.min_annotations, campaign.max_annotations, campaign.confidence)
    given = list(task.annotations.order_by("pk"))
    for each in given:
        each.task = task  # whose key opens them
    crowd = crowds.of(campaign, [each.annotator_id for each in given])
    return certificates.make(campaign.kind, given, rule, crowd)


def _apply(found: Verdict, certificate: Certificate, task: Task, now: datetime) -> None:
    settled = found.outcome is Outcome.SETTLED
    task.status = STATUS[found.outcome]
    task.soft, task.confidence, task.certificate = found.soft, found.confidence, certificate
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

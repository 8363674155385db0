"""Disputes: tasks that volunteers could not settle, and a reviewer's decision on them."""

from datetime import datetime
from enum import StrEnum

from django.db import transaction
from django.db.models import QuerySet

from accounts import audit
from accounts.models import Purpose, User
from accounts.refusals import Refusal
from datasets import normalise
from datasets.models import Task
from datasets.words import columns
from tagger.lending.assignments import checked
from tagger.models import Dispute


class DisputeRefusal(StrEnum):
    ALREADY_DECIDED = "dispute-already-decided"


class DisputeRefused(Refusal):
    """Another reviewer decided the dispute, or a changed answer settled it; nothing was changed."""


def open_for(reviewer: User) -> QuerySet[Dispute]:
    """Undecided disputes, oldest first, except over the reviewer's own clips and clips no longer live."""
    live = Task.objects.live_for(Purpose.VOLUNTEERS).exclude(clip__contributor=reviewer)
    return (
        Dispute.objects.filter(decided_at=None, task__in=live)
        .select_related("task__campaign", "task__clip__contributor__data_key")
        .order_by("opened_at", "id")
    )


@transaction.atomic
def decide(dispute: Dispute, reviewer: User, answer: str, now: datetime) -> None:
    """Settle the task by the reviewer's answer. Raises DisputeRefused, AnswerRefused and BadTranscript."""
    task = Task.objects.locked_with_key().get(pk=dispute.task_id)
    current = Dispute.objects.filter(task=task, decided_at=None).first()
    if current is None:
        raise DisputeRefused(DisputeRefusal.ALREADY_DECIDED)
    current.task = task
    current.answer = checked(answer, task.campaign)
    current.decided_at, current.reviewer = now, reviewer
    current.save()
    audit.record(audit.Act.DECIDED, f"clip {task.clip_id}", reviewer, now)
    task.status, task.adjudicated, task.settled_at = Task.Status.SETTLED, True, now
    # The confidence stays as the volunteers' votes left it: one reviewer does not make an answer certain.
    task.answer = as_settled(current.answer, task)
    task.save(update_fields=["status", "adjudicated", "settled_at", *columns("answer")])


def as_settled(answer: str, task: Task) -> str:
    """A label as it is; a transcript in the normalised form that votes are counted on."""
    return (
        answer
        if task.campaign.kind == task.campaign.Kind.WAKE_WORD
        else normalise.text(answer, task.campaign.language)
    )

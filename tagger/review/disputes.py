"""The reviewer decides what the volunteers could not settle."""

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
    """Undecided disputes, oldest first, without the reviewer's own clips or clips that may not be heard."""
    live = Task.objects.live_for(Purpose.VOLUNTEERS).exclude(clip__contributor=reviewer)
    return (
        Dispute.objects.filter(decided_at=None, task__in=live)
        .select_related("task__campaign", "task__clip__contributor__data_key")
        .order_by("opened_at", "id")
    )


@transaction.atomic
def decide(dispute: Dispute, reviewer: User, answer: str, now: datetime) -> None:
    """Settle the task by the reviewer's answer. Raises DisputeRefused, AnswerRefused and BadTranscript."""
    task = (
        Task.objects.select_for_update(of=("self",), no_key=True)
        .select_related("campaign", "clip__contributor__data_key")
        .get(pk=dispute.task_id)
    )
    fresh = Dispute.objects.filter(task=task, decided_at=None).first()
    if fresh is None:
        raise DisputeRefused(DisputeRefusal.ALREADY_DECIDED)
    fresh.task = task
    fresh.answer = checked(answer, task.campaign)
    fresh.decided_at, fresh.reviewer = now, reviewer
    fresh.save()
    audit.record(audit.Act.DECIDED, f"clip {task.clip_id}", reviewer, now)
    task.status, task.adjudicated, task.settled_at = Task.Status.SETTLED, True, now
    # The confidence stays what the volunteers' agreement was: one reviewer is no certainty.
    task.answer = as_settled(fresh.answer, task)
    task.save(update_fields=["status", "adjudicated", "settled_at", *columns("answer")])


def as_settled(answer: str, task: Task) -> str:
    """Labels as they are; transcripts in the normalised form that votes are counted on."""
    return answer if task.campaign.kind == task.campaign.Kind.WAKE_WORD else normalise.text(answer)

"""'I still think …': once for each answer, a volunteer asks a reviewer to hear a settled clip again.

The task stays settled as it is until the reviewer decides. Like every item of the review queue, it goes to
nobody who gave the clip, answered it or reported it.
"""

from base64 import b64decode
from collections.abc import Collection
from datetime import datetime

from django.db import models, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from datasets.models import Annotation, Clip, Task
from tagger.lending import assignments, notes, quotas
from tagger.lending.refusals import AnswerRefusal, AnswerRefused
from tagger.models import Decision, Objection, ReviewItem

from . import differing


class Outcome(models.TextChoices):
    """What became of an objection."""

    WAITING = "waiting", _("a reviewer has not heard it yet")
    AGREED = "agreed", _("a reviewer agreed with you")
    KEPT = "kept", _("a reviewer kept the settled answer")
    DECIDED = "decided", _("a reviewer decided on another answer")
    ASKED_MORE = "asked-more", _("a reviewer asked for more answers")
    UNUSABLE = "unusable", _("a reviewer found the clip unusable")


@transaction.atomic
def store(annotator: User, pk: int, answer: str, note: str, now: datetime) -> Objection:
    """Store the objection to what this annotation's task is settled as, and open an item for a reviewer.

    Raises Annotation.DoesNotExist (also if the annotation is not listed as different), AnswerRefused,
    quotas.QuotaReached and normalise.BadTranscript.
    """
    note = notes.checked(note)
    _lock(annotator, pk)
    given = differing.find(annotator, pk)
    if differing.has_objection(given):
        raise AnswerRefused(AnswerRefusal.OBJECTED_ALREADY)
    if given.task.clip.silenced:  # who heard those seconds could write down again what was said
        raise AnswerRefused(AnswerRefusal.CLIP_GONE)
    quotas.check_objection(annotator, now)
    answer = assignments.checked(answer, given.task.campaign)
    if differing.is_same(answer, given.task.answer or "", given.task.campaign):
        raise AnswerRefused(AnswerRefusal.SAME_AS_SETTLED)
    objection = Objection(annotation=given, created_at=now)
    objection.answer, objection.note = answer, note
    objection.save()
    ReviewItem.objects.open_disputes([given.task], ReviewItem.Reason.OBJECTION, now)
    return objection


def _lock(annotator: User, pk: int) -> None:
    """The task, its annotator and the clip, in the order of the site. Raises Annotation.DoesNotExist."""
    task = Task.objects.select_for_update(no_key=True).get(pk=annotator.annotations.get(pk=pk).task_id)
    if not User.objects.select_for_update(no_key=True).filter(pk=annotator.pk, is_active=True).exists():
        raise Annotation.DoesNotExist  # they left since the request began
    Clip.objects.select_for_update(no_key=True).get(pk=task.clip_id)


DECIDING = (Decision.Act.ACCEPT, Decision.Act.ASK_MORE, Decision.Act.UNUSABLE)


def decisions(given: Collection[Annotation]) -> dict[int, Decision]:
    """{task: the last decision on it since the objection to it}, for annotations that have an objection."""
    tasks = {each.task_id: each for each in given}
    clips = {each.task.clip_id for each in given}
    on_task = Q(item__task__in=tasks, act__in=DECIDING) | Q(clip__in=clips, act=Decision.Act.UNUSABLE)
    found: dict[int, Decision] = {}
    for decision in Decision.objects.filter(on_task, undone_at=None).select_related("item").order_by("pk"):
        for each in given:
            is_about = each.task_id == decision.item.task_id or (
                decision.act == Decision.Act.UNUSABLE and each.task.clip_id == decision.clip_id
            )
            if is_about and decision.decided_at >= each.objection.created_at:
                decision.clip, decision.campaign = each.task.clip, each.task.campaign  # whose key opens it
                found[each.task_id] = decision
    return found


def outcome(objection: Objection, decision: Decision | None) -> Outcome:
    """What the last decision since then means for this objection. Raises accounts.ciphers.KeyLost."""
    if decision is None:
        return Outcome.WAITING
    if decision.act == Decision.Act.ASK_MORE:
        return Outcome.ASKED_MORE
    if decision.act == Decision.Act.UNUSABLE:
        return Outcome.UNUSABLE
    campaign = objection.annotation.task.campaign
    if differing.is_same(decision.answer, objection.answer, campaign):
        return Outcome.AGREED
    before = _answer_before(decision, objection.annotation.task)
    is_kept = before is not None and differing.is_same(decision.answer, before, campaign)
    return Outcome.KEPT if is_kept else Outcome.DECIDED


def _answer_before(decision: Decision, task: Task) -> str | None:
    """What the task was settled as before this decision; None if that is not known any more."""
    state = (decision.before or {}).get("tasks", {}).get(str(task.pk))
    if state is None:
        return None
    before = Task(clip=task.clip, campaign=task.campaign, plain_answer=state["plain_answer"])
    before.sealed_answer = b64decode(state["sealed_answer"])
    return before.answer

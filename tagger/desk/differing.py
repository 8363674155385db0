"""Which of a volunteer's answers differ from what their tasks were settled as, and may be shown to them.

What is shown must spoil nothing that is still asked. Left out are:

- tasks that are in use as controls, which others are asked, until they are retired;
- tasks that are kept for repeats and may be asked again (`tagger.lending.repeats`);
- the last answers, as these can still be changed: nobody changes an answer to the settled one.

Clips that volunteers may not hear any more are left out, too. A task to whose settled answer the volunteer
objected stays in the list, whatever came of it.
"""

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from accounts.ciphers import KeyLost
from accounts.models import Purpose, User
from datasets import normalise
from datasets.models import Annotation, Campaign, Task
from tagger.lending import repeats
from tagger.lending.assignments import CHANGEABLE
from tagger.models import Control

PAGE = 20
LOOKED_AT = 200  # answers that are opened and compared for one page


def page(annotator: User, after: Annotation | None = None) -> tuple[list[Annotation], int | None]:
    """Up to PAGE of them, newest first, and the answer after which it goes on; None at the end.

    In a number of statements that does not grow. It looks at no more than LOOKED_AT answers.
    """
    earlier = _before(after, annotator).order_by("-created_at", "-pk")
    looked_at = list(earlier.values_list("pk", flat=True)[:LOOKED_AT])
    shown: list[Annotation] = []
    for each in _shown(annotator).filter(pk__in=looked_at).order_by("-created_at", "-pk"):
        if len(shown) == PAGE:
            return shown, shown[-1].pk
        if _differs(each):
            shown.append(each)
    return shown, looked_at[-1] if len(looked_at) == LOOKED_AT else None


def find(annotator: User, pk: int) -> Annotation:
    """This person's annotation, if it is one of them. Raises Annotation.DoesNotExist."""
    given = _shown(annotator).get(pk=pk)
    if not _differs(given):
        raise Annotation.DoesNotExist
    return given


def is_same(one: str, other: str, campaign: Campaign) -> bool:
    """Transcripts are compared as votes are, in normal form."""
    if not campaign.asks_for_words:
        return one == other
    return normalise.text(one, campaign.language) == normalise.text(other, campaign.language)


def has_objection(given: Annotation) -> bool:
    return hasattr(given, "objection")


def _before(after: Annotation | None, annotator: User) -> QuerySet[Annotation]:
    if after is None:
        return annotator.annotations.all()
    same_time = Q(created_at=after.created_at, pk__lt=after.pk)
    return annotator.annotations.filter(Q(created_at__lt=after.created_at) | same_time)


def _shown(annotator: User) -> QuerySet[Annotation]:
    """Those that may be shown and, as far as the database can tell, differ."""
    last = annotator.annotations.order_by("-created_at", "-id").values_list("pk", flat=True)[:CHANGEABLE]
    live = Task.objects.live_for(Purpose.VOLUNTEERS, per_row=True)
    asked_of_others = Control.objects.filter(task=OuterRef("task"), retired_at=None)
    differs = Q(task__campaign__kind=Campaign.Kind.TRANSCRIPTION) | ~Q(plain_answer=F("task__plain_answer"))
    listed = Q(objection__isnull=False) | Q(differs, task__status=Task.Status.SETTLED)
    shown = annotator.annotations.filter(listed, repeats.are_over(annotator), task__in=live)
    shown = shown.filter(~Exists(asked_of_others)).exclude(pk__in=list(last))
    return shown.select_related("objection", "task__campaign", "task__clip__contributor__data_key")


def _differs(given: Annotation) -> bool:
    """False if its speaker left while this ran."""
    task = given.task
    if has_objection(given) or not task.campaign.asks_for_words:
        return True
    try:
        return not is_same(given.answer, task.answer or "", task.campaign)
    except KeyLost:
        return False

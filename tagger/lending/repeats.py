"""Repeats: annotators are lent their own earlier tasks again, unmarked, to see if they answer the same.

The second answer is stored with their annotation and is never a vote.

An annotator may see what their answers were settled as (tagger.desk.differences), and who has seen that does
not answer a second time by ear. So one task in eight, by its random place in the queue, is kept for repeats:
it is asked again, and its settled answer is not shown to those who may be asked. Nothing has to be stored
about what they looked at, and what is asked again is no worse and no better than the rest.
"""

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import Purpose, User
from datasets.models import MAX_SPREAD, Annotation, Campaign, Task
from datasets.words import columns
from tagger.models import Assignment, Repeat

from . import controls

SHARE = 1 / 40
FORGOTTEN_AFTER = timedelta(days=1)
RECENT_ANSWERS = 50  # to choose from
KEPT_BELOW = MAX_SPREAD // 8  # tasks with a smaller `spread` are kept for repeats


def due(slots: int) -> int:
    """How many of the next `slots` clips should be repeats, at random."""
    return sum(controls.dice.random() < SHARE for _ in range(slots))


def pick(annotator: User, campaign: Campaign, count: int, now: datetime) -> list[Task]:
    """Up to `count` tasks that this annotator answered a while ago and was not lent again since."""
    if not count:
        return []
    earlier = annotator.annotations.filter(
        ~Exists(_asked_again(annotator)),
        task__campaign=campaign,
        task__spread__lt=KEPT_BELOW,
        created_at__lt=now - FORGOTTEN_AFTER,
    ).order_by("-created_at")[:RECENT_ANSWERS]
    live = Task.objects.live_for(Purpose.VOLUNTEERS, per_row=True).filter(
        pk__in=[given.task_id for given in earlier], example=None
    )
    found = list(live.select_related("clip").order_by("pk"))
    return controls.dice.sample(found, min(count, len(found)))


def are_over(annotator: User) -> Q:
    """A condition on their annotations: they are not asked again, or were and gave the clip back."""
    over = _asked_again(annotator).exclude(state=Assignment.State.LENT)
    return Q(Q(task__spread__gte=KEPT_BELOW) | Exists(over))


def _asked_again(annotator: User) -> QuerySet[Assignment]:
    return Assignment.objects.filter(task=OuterRef("task"), annotator=annotator, role=Assignment.Role.REPEAT)


def store(annotation: Annotation, answer: str, now: datetime, several_speakers: bool = False) -> None:
    Repeat.objects.create(  # type: ignore[misc]
        annotation=annotation, answer=answer, created_at=now, several_speakers=several_speakers
    )


def change(annotation: Annotation, answer: str, several_speakers: bool | None = None) -> bool:
    """Change the newest answer to a repeat of this annotation's task; returns whether there is one."""
    repeat = newest(annotation)
    if repeat is None:
        return False
    repeat.answer = answer
    if several_speakers is not None:
        repeat.several_speakers = several_speakers
    repeat.save(update_fields=[*columns("answer"), "several_speakers"])
    return True


def newest(annotation: Annotation) -> Repeat | None:
    repeat = annotation.repeats.order_by("-pk").first()
    if repeat is not None:
        repeat.annotation = annotation
    return repeat

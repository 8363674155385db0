"""One's own earlier tasks, lent once more without a word: does somebody answer as they did?

What they say then is kept beside their annotation and is never a vote.
"""

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef

from accounts.models import Purpose, User
from datasets.models import Annotation, Campaign, Task
from datasets.words import columns
from tagger.models import Assignment, Repeat

from . import controls

SHARE = 1 / 40
FORGOTTEN_AFTER = timedelta(days=1)
LOOKED_BACK = 50  # answers


def due(slots: int) -> int:
    """How many of the next `slots` clips are to be repeats."""
    return sum(controls.dice.random() < SHARE for _ in range(slots))


def pick(annotator: User, campaign: Campaign, count: int, now: datetime) -> list[Task]:
    """Up to `count` tasks that this annotator answered a while ago, and was not asked again."""
    if not count:
        return []
    again = Assignment.objects.filter(task=OuterRef("task"), annotator=annotator, role=Assignment.Role.REPEAT)
    earlier = annotator.annotations.filter(
        ~Exists(again), task__campaign=campaign, created_at__lt=now - FORGOTTEN_AFTER
    ).order_by("-created_at")[:LOOKED_BACK]
    live = Task.objects.live_for(Purpose.VOLUNTEERS, few=True).filter(
        pk__in=[given.task_id for given in earlier], example=None
    )
    found = list(live.select_related("clip").order_by("pk"))
    return controls.dice.sample(found, min(count, len(found)))


def store(annotation: Annotation, answer: str, now: datetime) -> None:
    """Keep what was said this time."""
    Repeat.objects.create(annotation=annotation, answer=answer, created_at=now)  # type: ignore[misc]


def change(annotation: Annotation, answer: str) -> bool:
    """What was said when the clip was heard again is changed instead, if it was; whether it was."""
    said = newest(annotation)
    if said is None:
        return False
    said.answer = answer
    said.save(update_fields=columns("answer"))
    return True


def newest(annotation: Annotation) -> Repeat | None:
    repeat = annotation.repeats.order_by("-pk").first()
    if repeat is not None:
        repeat.annotation = annotation
    return repeat

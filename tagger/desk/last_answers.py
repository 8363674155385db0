"""One's last answers to a campaign, for the page on which they can still be changed."""

from dataclasses import dataclass
from datetime import datetime

from accounts.models import Purpose, User
from datasets.models import Annotation, Campaign, Task
from tagger.lending.assignments import LAST
from tagger.models import Assignment, Repeat


@dataclass(frozen=True)
class Given:
    """`assignment` is where its clip is heard again, `annotation` what a change names."""

    assignment: int
    annotation: int
    answer: str


def of(annotator: User, campaign: Campaign) -> list[Given]:
    """Those of the annotator's last answers that went to this campaign, newest first.

    What was said to a repeat stands among them like any other: nothing shows that it was one. Clips that
    nobody may hear any more are left out.
    """
    said = _annotations(annotator) + _repeats(annotator)
    last = sorted(said, key=lambda one: (one[0], one[1].pk), reverse=True)[:LAST]
    mine = [(each, role) for _, each, role in last if _task(each).campaign_id == campaign.pk]
    tasks = {_task(each).pk for each, _ in mine}
    live = set(Task.objects.live_for(Purpose.VOLUNTEERS).filter(pk__in=tasks).values_list("pk", flat=True))
    places = _places(annotator, tasks)
    return [
        Given(places[_task(each).pk, role], _annotation(each).pk, each.answer)
        for each, role in mine
        if _task(each).pk in live and (_task(each).pk, role) in places
    ]


Said = Annotation | Repeat


def _annotations(annotator: User) -> list[tuple[datetime, Said, bool]]:
    """(when, what was said, whether to a repeat)"""
    found = annotator.annotations.select_related("task__campaign", "task__clip__contributor__data_key")
    return [(each.created_at, each, False) for each in found.order_by("-created_at", "-id")[:LAST]]


def _repeats(annotator: User) -> list[tuple[datetime, Said, bool]]:
    found = Repeat.objects.filter(annotation__annotator=annotator).select_related(
        "annotation__task__campaign", "annotation__task__clip__contributor__data_key"
    )
    return [(each.created_at, each, True) for each in found.order_by("-id")[:LAST]]


def _annotation(said: Said) -> Annotation:
    return said.annotation if isinstance(said, Repeat) else said


def _task(said: Said) -> Task:
    return _annotation(said).task


def _places(annotator: User, tasks: set[int]) -> dict[tuple[int, bool], int]:
    """The assignment of each task, by (task, whether it is the one of a repeat)."""
    done = annotator.assignments.filter(task__in=tasks, state=Assignment.State.DONE)
    rows = done.values_list("task_id", "role", "pk")
    return {(task, role == Assignment.Role.REPEAT): pk for task, role, pk in rows}

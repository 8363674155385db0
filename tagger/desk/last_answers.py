"""A volunteer's last answers to a campaign, for the page on which they can still change them."""

from dataclasses import dataclass
from datetime import datetime

from accounts.models import Purpose, User
from datasets.models import Annotation, Campaign, Task
from tagger.lending.assignments import CHANGEABLE
from tagger.models import Assignment, Repeat


@dataclass(frozen=True)
class LastAnswer:
    """`assignment` is the id that plays its clip again, `annotation` the id that a change names."""

    assignment: int
    annotation: int
    answer: str
    several_speakers: bool


@dataclass(frozen=True)
class _Given:
    """An answer as it is stored: an annotation, or the second answer to a clip that was asked again."""

    stored: Annotation | Repeat

    @property
    def is_repeat(self) -> bool:
        return isinstance(self.stored, Repeat)

    @property
    def annotation(self) -> Annotation:
        return self.stored.annotation if isinstance(self.stored, Repeat) else self.stored

    @property
    def task(self) -> Task:
        return self.annotation.task

    @property
    def sort_key(self) -> tuple[datetime, int]:
        return self.stored.created_at, self.stored.pk


def for_campaign(annotator: User, campaign: Campaign) -> list[LastAnswer]:
    """Those of the annotator's last answers that went to this campaign, newest first.

    Answers to repeats are listed like all others, so that nothing shows which clips were repeats. Clips that
    may no longer be heard are left out.
    """
    given = [*map(_Given, _annotations(annotator)), *map(_Given, _repeats(annotator))]
    last = sorted(given, key=lambda each: each.sort_key, reverse=True)[:CHANGEABLE]
    here = [each for each in last if each.task.campaign_id == campaign.pk]
    tasks = {each.task.pk for each in here}
    live = set(Task.objects.live_for(Purpose.VOLUNTEERS).filter(pk__in=tasks).values_list("pk", flat=True))
    assignments = _assignments(annotator, tasks)
    return [
        LastAnswer(
            assignments[each.task.pk, each.is_repeat],
            each.annotation.pk,
            each.stored.answer,
            each.stored.several_speakers,
        )
        for each in here
        if each.task.pk in live and (each.task.pk, each.is_repeat) in assignments
    ]


def _annotations(annotator: User) -> list[Annotation]:
    found = annotator.annotations.select_related("task__campaign", "task__clip__contributor__data_key")
    return list(found.order_by("-created_at", "-id")[:CHANGEABLE])


def _repeats(annotator: User) -> list[Repeat]:
    found = Repeat.objects.filter(annotation__annotator=annotator).select_related(
        "annotation__task__campaign", "annotation__task__clip__contributor__data_key"
    )
    return list(found.order_by("-id")[:CHANGEABLE])


def _assignments(annotator: User, tasks: set[int]) -> dict[tuple[int, bool], int]:
    """{(task, whether the assignment was a repeat): assignment}"""
    done = annotator.assignments.filter(task__in=tasks, state=Assignment.State.DONE)
    rows = done.values_list("task_id", "role", "pk")
    return {(task, role == Assignment.Role.REPEAT): pk for task, role, pk in rows}

"""Which clips of a campaign a filter finds, from the newest to the oldest, in statements of bounded cost.

Few filters have an index of their own, as each additional index on tasks is written for every answer. So
where a filter names few tasks (those of one contributor, those that one person answered, those that were
reported or hidden), these are read; and otherwise the campaign's tasks, WINDOW at a time.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from datasets.models import Annotation, Campaign, Clip, Task, not_held
from tagger.models import Report

HIDDEN = "hidden"
PAGE = 25
# The most tasks that one request reads.
WINDOW = 10_000
# The most tasks that a filter is taken to name.
FEW = 5_000


@dataclass(frozen=True)
class Selection:
    """`given`: the filters by their names, without empty ones; `recorded` stands for the quarter."""

    campaign: Campaign
    given: dict[str, Any] = field(default_factory=dict)

    @property
    def statuses(self) -> list[str]:
        status = self.given.get("status")
        return [status] if status in Task.Status.values else list(Task.Status.values)

    def tasks(self) -> QuerySet[Task]:
        """All that it finds, without an order or a bound. What only its contributor may hear is left out."""
        some = Task.objects.filter(campaign=self.campaign, status__in=self.statuses, clip__withdrawal=None)
        return some.filter(not_held("clip__held_until"), *self._conditions())

    def _conditions(self) -> Iterator[Q | Exists]:
        for name, value in self.given.items():
            if name in WHERE:
                yield Q(**{WHERE[name]: value})
        # What reports hid is hidden, whatever became of its task.
        if status := self.given.get("status"):
            yield Q(clip__hidden_at__isnull=status != HIDDEN)
        for name, column in (("confidence", "confidence"), ("speech", "clip__speech_share")):
            most = self.given.get(f"{name}_to")
            if most is not None:  # nothing is above 1, so there it is included
                yield Q(**{f"{column}__lte" if most == 1 else f"{column}__lt": most})
        if recorded := self.given.get("recorded"):
            yield Q(clip__created_at__gte=recorded[0], clip__created_at__lt=recorded[1])
        if self.given.get("reported"):
            yield Exists(Report.objects.filter(clip=OuterRef("clip"), campaign=self.campaign))
        if who := self.given.get("answered_by"):
            gave = {"plain_answer": self.given["gave"]} if self.given.get("gave") else {}
            yield Exists(Annotation.objects.filter(task=OuterRef("pk"), annotator=who, **gave))
        if who := self.given.get("also_by"):
            yield Exists(Annotation.objects.filter(task=OuterRef("pk"), annotator=who))


WHERE = {
    "answer": "plain_answer",
    "confidence_from": "confidence__gte",
    "votes_from": "annotation_count__gte",
    "votes_to": "annotation_count__lte",
    "seconds_from": "clip__seconds__gte",
    "seconds_to": "clip__seconds__lt",
    "speech_from": "clip__speech_share__gte",
    "source": "clip__source",
    "contributor": "clip__contributor",
}


@dataclass(frozen=True)
class Found:
    """The ids of some tasks, newest first. `below`: where to go on, None at the end.

    `is_cut`: as many tasks were read as one request reads, so there may be more even if few were found.
    """

    ids: list[int]
    below: int | None
    is_cut: bool = False


def find(selection: Selection, below: int | None, number: int = PAGE) -> Found:
    """Up to this many of its tasks, below that one."""
    few = _few(selection)
    some = selection.tasks()
    if below is not None:
        some = some.filter(pk__lt=below)
    lowest = None
    if few is not None:
        some = some.filter(pk__in=few)
    elif (lowest := _end_of_window(selection, below)) is not None:
        some = some.filter(pk__gte=lowest)
    ids = list(some.order_by("-pk").values_list("pk", flat=True)[: number + 1])
    if len(ids) > number:
        return Found(ids[:number], ids[number - 1])
    return Found(ids, lowest, is_cut=lowest is not None)


def _end_of_window(selection: Selection, below: int | None) -> int | None:
    """The task at which WINDOW tasks have been read at most; None if there are fewer. By the index alone."""
    each = WINDOW // len(selection.statuses)
    ends: list[int] = []
    for status in selection.statuses:
        some = Task.objects.filter(campaign=selection.campaign, status=status)
        if below is not None:
            some = some.filter(pk__lt=below)
        ends += some.order_by("-pk").values_list("pk", flat=True)[each - 1 : each]
    return max(ends, default=None)


def _few(selection: Selection) -> list[int] | None:
    """The tasks that one of its filters names, if these are few; they may be of other campaigns too."""
    for column, named in _named(selection):
        found = list(named[: FEW + 1])
        if len(found) <= FEW:
            if column == "pk":
                return found
            own = Task.objects.filter(campaign=selection.campaign, **{f"{column}__in": found})
            return list(own.values_list("pk", flat=True))
    return None


def _named(selection: Selection) -> Iterator[tuple[str, Any]]:
    """What the filters name that have an index: a task's column, and its values."""
    given = selection.given
    if given.get("reported"):
        yield "clip", Report.objects.filter(campaign=selection.campaign).values_list("clip", flat=True)
    if given.get("status") == HIDDEN:
        yield "clip", Clip.objects.filter(hidden_at__isnull=False).values_list("pk", flat=True)
    if who := given.get("answered_by"):
        yield "pk", Annotation.objects.filter(annotator=who).values_list("task", flat=True)
    if who := given.get("contributor"):
        yield "clip", Clip.objects.filter(contributor=who).values_list("pk", flat=True)

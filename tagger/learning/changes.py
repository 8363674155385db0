"""Which tasks have to be settled again because of what was learned: where it moves their confidence."""

from typing import Any

from django.db.models import QuerySet

from datasets.models import Annotation, Task
from tagger.consensus.verdict import Rule
from tagger.models import PersonWeight
from tagger.settling.person_weights import USUAL

# A smaller change of a confidence is a rounding.
ROUNDING = 0.005


def comparable(kind: str, language: str) -> QuerySet[Task]:
    """The tasks of the crowd whose stored confidence counts and is not to be computed anew already."""
    of_crowd = Task.objects.filter(campaign__kind=kind, campaign__language=language)
    settled_once = of_crowd.exclude(confidence=None).exclude(status=Task.Status.UNUSABLE)
    return settled_once.filter(dirty_since=None, stale_since=None)


def matters(before: Any, now: Any, goal: Any) -> Any:
    """Whether a confidence changes by more than a rounding, or crosses its goal: of numbers or of arrays.

    >>> matters(0.9, 0.905, 0.75), matters(0.9, 0.906, 0.75), matters(0.751, 0.749, 0.75)
    (False, True, True)
    """
    return (abs(now - before) > ROUNDING + 1e-9) | ((now >= goal) != (before >= goal))


def goal(confidence: float, answers: int, fell_with: int) -> float:
    """The confidence at which a task's verdict changes: its campaign's, or more if it came off that."""
    return Rule(confidence=confidence).again_from if 0 < fell_with == answers else confidence


def weighed_by_owners(kind: str, language: str) -> set[int]:
    """The tasks of the crowd with answers that have another weight than usual: no refit knows of these."""
    changed = PersonWeight.objects.filter(campaign__kind=kind, campaign__language=language)
    found = set[int]()
    for who, campaign in changed.exclude(factor=USUAL).values_list("person", "campaign"):
        given = Annotation.objects.filter(annotator=who, task__campaign=campaign)
        found.update(given.values_list("task", flat=True))
    return found

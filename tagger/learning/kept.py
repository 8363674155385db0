"""Learning from answers whose annotators left: they are learned from as pools, never as persons.

A pool holds all kept answers of one weight, whoever gave them; where a task has two of one weight, the second
belongs to a second pool, because a voter has one vote on a task. What is learned of a pool is not stored.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from django.db.models import F, QuerySet, Window
from django.db.models.functions import RowNumber

from datasets.models import Annotation

WEIGHTS = len(Annotation.Weight)  # 1, 2, 3


def voters(given: Iterable[Annotation]) -> list[int]:
    """The voter of each of one task's answers, as learning counts them: a person, or a pool."""
    pools: Counter[int] = Counter()
    found = []
    for each in given:
        if each.annotator_id is None:
            weight = each.kept_weight or Annotation.Weight.AVERAGE
            found.append(_pool(weight, pools[weight]))
            pools[weight] += 1
        else:
            found.append(each.annotator_id)
    return found


def with_pools(kept: QuerySet[Annotation]) -> QuerySet[Annotation]:
    """These kept answers, each with its `pool`: the same numbers as `voters`."""
    place = Window(RowNumber(), partition_by=["task", "kept_weight"], order_by="id") - 1
    return kept.annotate(pool=_pool(F("kept_weight"), place))


def _pool(weight: Any, place: Any) -> Any:
    """The number of a pool, from numbers or from expressions; below 0, as no person's is."""
    return -(weight + WEIGHTS * place)


def is_pool(voter: int) -> bool:
    return voter < 0


def weight(pool: int) -> int:
    return (-pool - 1) % WEIGHTS + 1

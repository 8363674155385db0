"""How much may be said of how many people there are: one budget for each quarter.

Each release publishes noisy counts of its people. Together, the counts of a quarter are differentially
private for its whole budget; once that is spent, no more are published until the next quarter.
"""

from collections.abc import Mapping
from datetime import datetime
from fractions import Fraction
from typing import Any

from django.conf import settings

from accounts import quarters
from datasets.models import CountBudget

from .noise import noisy

MECHANISM = "discrete Laplace"
FAMILIES = 4  # of counts, each for a quarter of a release's epsilon


def people(figures: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """Noisy counts of the people of a release, to be published; without counts if the budget is spent.

    A person is in one split, so that one person changes one count of these; in each subset at most once.
    The quarter's row is locked until the transaction ends.
    """
    epsilon = Fraction(settings.COUNTS_EPSILON)
    said = {"mechanism": MECHANISM, "epsilon": float(epsilon), "quarter": quarters.name(now)}
    if not _spend(quarters.name(now), epsilon):
        return said
    share, subsets = epsilon / FAMILIES, figures["subsets"]
    return said | {
        "speakers": noisy(figures["speakers"], share),
        "annotators": noisy(figures["annotators"], share),
        "splits": {split: noisy(each["speakers"], share) for split, each in figures["splits"].items()},
        "subsets": [noisy(each["speakers"], share, max(len(subsets), 1)) for each in subsets],
    }


def _spend(quarter: str, epsilon: Fraction) -> bool:
    CountBudget.objects.get_or_create(quarter=quarter)
    row = CountBudget.objects.select_for_update().get(quarter=quarter)
    spent = Fraction(row.spent) + epsilon
    if spent > Fraction(settings.COUNTS_BUDGET):
        return False
    row.spent = str(spent)
    row.save(update_fields=["spent"])
    return True

"""Which tasks are to be settled again by what was learned. Web processes load this, without the engine."""

from collections.abc import Collection

from django.db.models import Q, QuerySet

from datasets.models import Campaign, Task
from tagger.models import Crowd


def of(campaigns: Collection[Campaign]) -> QuerySet[Task]:
    """Those of these campaigns: marked by a refit, or of a crowd all of which is owed from a number down."""
    due = Q(stale_since__isnull=False)
    whole = Crowd.objects.filter(recount_below__isnull=False)
    for kind, language, below in whole.values_list("kind", "language", "recount_below"):
        due |= Q(campaign__kind=kind, campaign__language=language, pk__lt=below, confidence__isnull=False)
    return Task.objects.filter(due, campaign__in=campaigns, clip__withdrawal=None)

"""When a campaign's clips are settled, and the recount that another rule owes, for recounts.py to do."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from datasets.models import Campaign, Task
from tagger.models import Recount

# The fields that say when a clip is settled.
RULE = ("min_annotations", "max_annotations", "confidence", "needs_track_record")


def of(campaign: Campaign) -> dict[str, Any]:
    return {name: getattr(campaign, name) for name in RULE}


def differ(campaign: Campaign, typed: Mapping[str, Any]) -> bool:
    """Whether the typed rule is another one than the campaign's."""
    return any(typed[name] != value for name, value in of(campaign).items())


def name(typed: Mapping[str, Any]) -> str:
    """What a browser sends back to say that it was shown what this rule would lead to."""
    return " ".join(str(typed[each]) for each in RULE)


def begin_recount(campaign: Campaign, now: datetime) -> Recount:
    """To be called in the transaction that changes the rule. It replaces one that is not finished."""
    Recount.objects.filter(campaign=campaign, finished_at=None).delete()
    return Recount.objects.create(campaign=campaign, asked_at=now, tasks=to_recount(campaign, 0).count())


def latest_recount(campaign: Campaign) -> Recount | None:
    return campaign.recounts.order_by("-pk").first()


def to_recount(campaign: Campaign, after: int) -> QuerySet[Task]:
    """Its tasks with higher numbers than this one, in their order."""
    return campaign.tasks.filter(pk__gt=after).exclude(status=Task.Status.UNUSABLE).order_by("pk")

"""Change a campaign; if that changes when a clip is settled, apply it to the clips that are there."""

from datetime import datetime
from typing import Any

from django.db import transaction

from accounts.models import User
from datasets import campaigns
from datasets.models import Campaign

from . import recounts, tasks


@transaction.atomic
def apply(campaign: Campaign, fields: dict[str, Any], by: User, now: datetime) -> None:
    """Raises ValidationError, and changes nothing; see datasets.campaigns.change."""
    before = recounts.rule_of(campaign)
    campaigns.change(campaign, fields, by, now)
    if recounts.rule_of(campaign) != before:
        recounts.begin(campaign, now)
        tasks.recount.delay_on_commit()  # type: ignore[attr-defined]  # of tagger.celery.RobustTask

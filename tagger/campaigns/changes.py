"""Change a campaign; if that changes when a clip is settled, apply it to the clips that are there."""

from datetime import datetime
from typing import Any

from django.db import transaction

from accounts.models import User
from datasets import campaigns
from datasets.models import Campaign

from . import requests, rules


@transaction.atomic
def apply(campaign: Campaign, fields: dict[str, Any], by: User, now: datetime) -> None:
    """Raises ValidationError, and changes nothing; see datasets.campaigns.change."""
    before = rules.of(campaign)
    campaigns.change(campaign, fields, by, now)
    if rules.of(campaign) != before:
        rules.begin_recount(campaign, now)
        requests.ask("recount")

"""The addresses of the clips behind a figure: the explorer's, with its filters."""

from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from datasets.models import Campaign


def clips(campaign: Campaign, **filters: Any) -> str:
    """Those that these filters find; a filter that is None is left out."""
    given = {name: value for name, value in filters.items() if value is not None}
    return f"{reverse('campaign_clips', args=[campaign.slug])}?{urlencode(given)}"

"""Open a campaign, and tell how far each has come."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Count, Q, QuerySet

from .models import Campaign


class BadCampaign(ValueError):
    """The campaign cannot be as asked for; each line of the message names a field and what is wrong."""


def create(**fields: Any) -> Campaign:
    campaign = Campaign(**fields)
    try:
        campaign.full_clean()
    except ValidationError as error:
        raise BadCampaign(
            "\n".join(
                f"{field.replace('_', '-')}: {' '.join(messages)}"
                if field != "__all__"
                else " ".join(messages)
                for field, messages in error.message_dict.items()
            )
        ) from error
    campaign.save()
    return campaign


def with_progress() -> QuerySet[Campaign]:
    """Open campaigns with `total`, `settled` and `disputed` counted."""
    settled = Count("tasks", filter=Q(tasks__status="settled"))
    disputed = Count("tasks", filter=Q(tasks__status="disputed"))
    return Campaign.objects.filter(is_open=True).annotate(
        total=Count("tasks"), settled=settled, disputed=disputed
    )

"""An owner asks for a release; a worker makes it. The only writer of ReleaseOrder."""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts.models import Purpose, User
from accounts.refusals import Refusal, in_words
from datasets.models import Campaign, Release
from datasets.releases import freezing
from datasets.releases.wording import WORDS
from tagger.learning import owed
from tagger.models import ReleaseOrder
from tagger.review import clearing_figures

logger = logging.getLogger(__name__)


@transaction.atomic
def ask(campaign: Campaign, bounds: Mapping[str, Any], by: User, now: datetime) -> None:
    """It replaces one that was refused. `bounds`: what ReleaseOrder keeps of it, by column.

    Raises ValidationError if another one of this campaign is being made, or the name is taken.
    """
    Campaign.objects.select_for_update().get(pk=campaign.pk)
    orders = ReleaseOrder.objects.filter(campaign=campaign)
    if orders.filter(refused="").exists():
        raise ValidationError(_("A release of this campaign is being made. Please wait for it."), code="busy")
    if Release.objects.filter(slug=bounds["slug"]).exists():
        message = _("There is a release of this name already, and a release is never changed.")
        raise ValidationError({"slug": ValidationError(message, code="name_taken")})
    orders.delete()
    ReleaseOrder.objects.create(campaign=campaign, asked_by=by, asked_at=now, **bounds)


def make_all(clock: Callable[[], datetime]) -> int:
    """Make what was asked for; returns how many were made. One that fails does not block the others."""
    made = 0
    waiting = ReleaseOrder.objects.filter(refused="").order_by("asked_at")
    for campaign_id in list(waiting.values_list("pk", flat=True)):
        try:
            made += _make(campaign_id, clock())
        except Exception:
            logger.exception("the release of campaign %s cannot be made; it is tried again", campaign_id)
    return made


def _wished(order: ReleaseOrder) -> dict[str, Any]:
    after = order.wish.get("after")
    previous = Release.objects.filter(slug=after, campaigns=order.campaign).first() if after else None
    return {name: value for name, value in order.wish.items() if name != "after"} | {"after": previous}


@transaction.atomic
def _make(campaign_id: int, now: datetime) -> bool:
    """A worker that is killed leaves the order as it was; two workers make it once."""
    locked = ReleaseOrder.objects.select_for_update(of=("self",), skip_locked=True).filter(refused="")
    order = locked.select_related("campaign", "asked_by").filter(pk=campaign_id).first()
    # Tasks that are to be settled again by what was learned: it waits, for today's figures.
    if order is None or owed.of([order.campaign]).exists():
        return False
    try:
        with transaction.atomic():
            freezing.freeze(
                order.slug,
                [order.campaign],
                now,
                clearing=clearing_figures.of([order.campaign]),
                min_confidence=order.min_confidence,
                min_contributors=order.min_contributors,
                audience=Purpose(order.audience),
                licence=order.licence or None,
                **_wished(order),
                by=order.asked_by,
            )
    except Refusal as refusal:
        order.refused = in_words(refusal, WORDS)
        order.save(update_fields=["refused"])
        return False
    order.delete()
    return True

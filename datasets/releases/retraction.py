"""Take a whole release back: nothing of it is handed out any more, and the next feed recalls all of it."""

from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts import audit
from accounts.models import User
from datasets.models import Release, Webhook
from datasets.webhooks import outbox

LONGEST = 500


@transaction.atomic
def retract(release: Release, because: str, by: User, now: datetime) -> None:
    """It stays in the lists, with the reason. Retracting it again changes nothing.

    Raises ValidationError without a reason, and for one that is too long.
    """
    because = " ".join(because.split())
    if not because:
        raise ValidationError(_("Say why: whoever has a copy will read it."), code="no_reason")
    if len(because) > LONGEST:
        message = _("Please write at most %(most)d characters.")
        raise ValidationError(message, code="too_long", params={"most": LONGEST})
    stored = Release.objects.select_for_update().get(pk=release.pk)
    if stored.retracted_at is None:
        stored.retracted_at, stored.retracted_because = now, because
        stored.save(update_fields=["retracted_at", "retracted_because"])
        for campaign in stored.campaigns.all():
            outbox.owe(Webhook.Event.RELEASE_RETRACTED, campaign, now, release=stored.slug)
        audit.record(audit.Act.RETRACTED, f"release {release.slug}", by, now)
    release.refresh_from_db()

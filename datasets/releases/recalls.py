"""Which clips of a release were withdrawn, for whoever holds a copy: a signed feed that changes once a day.

Ids enter it in one publication a day, all those of the day before together, so that the feed does not tell
when within a day somebody left.
"""

from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from accounts import signing
from accounts.consent import live_for
from accounts.models import Purpose
from datasets.models import Recall, Release

AT_ONCE = 2_000


def feed(release: Release) -> dict[str, Any]:
    """The release's feed, signed: the same bytes from one publication to the next."""
    published = release.recalls.exclude(published_on=None)
    return signing.sign(
        {
            "schema": "tagger recall feed 1",
            "release": release.slug,
            "published_at": _published_on(release).isoformat(),
            "recalled": sorted(published.values_list("public_id", flat=True)),
        }
    )


def publish(now: datetime) -> int:
    """The day's publication of every release's feed; how many ids entered. Later that day it adds none."""
    today = now.date()
    return sum(_publish(release.pk, today) for release in Release.objects.order_by("pk"))


@transaction.atomic
def _publish(release_id: int, today: date) -> int:
    release = Release.objects.select_for_update(no_key=True).get(pk=release_id)
    if _published_on(release) >= today:
        return 0
    _recall_what_researchers_may_have_no_more(release)
    entered = release.recalls.filter(published_on=None).update(published_on=today)
    release.recalls_published_on = today
    release.save(update_fields=["recalls_published_on"])
    return entered


def _published_on(release: Release) -> date:
    """A release is new on its own day, with nothing withdrawn: its first publication is a day later."""
    return release.recalls_published_on or release.published_at.date()


def _recall_what_researchers_may_have_no_more(release: Release) -> None:
    """Erased clips are in the table already. These are held still, for volunteers alone."""
    kept = live_for("task__clip__contributor", "task__clip__material", Purpose.RESEARCHERS)
    withheld = release.rows.filter(~kept | Q(task__clip__withdrawal__isnull=False))
    batch = []
    for public_id in withheld.values_list("public_id", flat=True).iterator(chunk_size=AT_ONCE):
        batch.append(Recall(release=release, public_id=public_id))
        if len(batch) == AT_ONCE:
            Recall.objects.bulk_create(batch, ignore_conflicts=True)
            batch = []
    Recall.objects.bulk_create(batch, ignore_conflicts=True)

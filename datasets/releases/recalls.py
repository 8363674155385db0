"""The recall feed: which clips of a release were withdrawn, signed, for everyone who has a copy.

It changes once a day: all ids of the day before are published together, so that the feed does not disclose at
what time of day someone left.
"""

from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from accounts import signing
from accounts.consent import live_for
from accounts.models import Purpose
from datasets.models import Recall, Release

BATCH_SIZE = 2_000


def feed(release: Release) -> dict[str, Any]:
    """The release's feed, signed. It is the same bytes until the next publication."""
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
    """Publish every release's feed of the day, and return how many ids were added: none if it was published
    that day already."""
    today = now.date()
    return sum(_publish(release.pk, today) for release in Release.objects.order_by("pk"))


@transaction.atomic
def _publish(release_id: int, today: date) -> int:
    release = Release.objects.select_for_update(no_key=True).get(pk=release_id)
    if _published_on(release) >= today:
        return 0
    _recall_withheld_clips(release)
    added = release.recalls.filter(published_on=None).update(published_on=today)
    release.recalls_published_on = today
    release.save(update_fields=["recalls_published_on"])
    return added


def _published_on(release: Release) -> date:
    """The first publication is the day after the release, because a new release has no withdrawn clips."""
    return release.recalls_published_on or release.published_at.date()


def _recall_withheld_clips(release: Release) -> None:
    """Recall the clips that researchers may not have any more, but volunteers still hear. Erased clips are
    recalled by their erasure."""
    consented = live_for("task__clip__contributor", "task__clip__material", Purpose.RESEARCHERS)
    withheld = release.rows.filter(~consented | Q(task__clip__withdrawal__isnull=False))
    batch = []
    for public_id in withheld.values_list("public_id", flat=True).iterator(chunk_size=BATCH_SIZE):
        batch.append(Recall(release=release, public_id=public_id))
        if len(batch) == BATCH_SIZE:
            Recall.objects.bulk_create(batch, ignore_conflicts=True)
            batch = []
    Recall.objects.bulk_create(batch, ignore_conflicts=True)

"""The recall feed: which clips of a release must not be used any more, signed, for everyone who has a copy.

It changes once a day: all ids of the day before are published together, so that the feed does not disclose at
what time of day someone left. Each release is compared with what its own audience may have.
"""

from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import Case, Exists, OuterRef, Q, QuerySet, Value, When

from accounts import signing
from accounts.consent import live_for
from accounts.models import Purpose
from datasets.access import letters
from datasets.models import Recall, Release, ReleaseRow, Task, Webhook
from datasets.webhooks import outbox

from . import contents, frozen, samples, taking_back

BATCH_SIZE = 2_000


def feed(release: Release) -> dict[str, Any]:
    """The release's feed, signed. It is the same bytes until the next publication.

    A copy must lose what is `recalled`. It may have what is `returned`, which an earlier feed recalled. A
    copy for speech synthesis must also lose what is `not_for_synthesis`, and a list of single votes those of
    `annotators`.
    """
    votes = {"annotators": taking_back.ended(release)} if release.has_single_votes else {}
    return signing.sign(
        {
            "schema": "tagger recall feed 2",
            "release": release.slug,
            "published_at": _published_on(release).isoformat(),
            "recalled": _ids(release.recalls.in_force()),
            "returned": _ids(release.recalls.filter(returned_on__isnull=False)),
            "not_for_synthesis": sorted(_ended(release).values_list("public_id", flat=True)),
        }
        | votes
    )


def recall(rows: QuerySet[ReleaseRow]) -> None:
    """Recall rows that are about to be erased; what the feed recalls already stays as it is.

    Until the next feed is published, what the release lists of them stays, without their words.
    """
    for release in Release.objects.filter(rows__in=rows).distinct():
        ids = list(rows.filter(release=release).values_list("public_id", flat=True))
        lines = frozen.lines_of(release, ids)
        Recall.objects.bulk_create(
            [Recall(release=release, public_id=public_id, line=line) for public_id, line in lines.items()],
            update_conflicts=True,
            unique_fields=["release", "public_id"],
            update_fields=["line"],
        )


def publish(now: datetime) -> int:
    """Publish every release's feed of the day, and return how many ids were recalled: none if it was
    published that day already."""
    return sum(_publish(release.pk, now) for release in Release.objects.order_by("pk"))


@transaction.atomic
def _publish(release_id: int, now: datetime) -> int:
    today = now.date()
    release = Release.objects.select_for_update(no_key=True).get(pk=release_id)
    if _published_on(release) >= today:
        return 0
    _enter_withheld_rows(release)
    # Of a release that was retracted nothing comes back.
    rows = release.rows.filter(public_id=OuterRef("public_id"), release__retracted_at=None)
    owned = rows.filter(_is_owners_consent_live(release), task__clip__withdrawal=None)
    allowed = rows.filter(task__in=_live_tasks(release))
    # A speaker who left does not come back, whatever a reviewer says of a report.
    release.recalls.filter(~Exists(owned), is_final=False, returned_on=None).update(is_final=True)
    again = release.recalls.filter(~Exists(allowed), returned_on__isnull=False)
    recalled = again.update(returned_on=None, published_on=today, is_final=~Exists(owned))
    returned = release.recalls.in_force().filter(Exists(allowed), is_final=False).update(returned_on=today)
    recalled += release.recalls.filter(published_on=None).update(published_on=today)
    release.recalls.filter(line__isnull=False).update(line=None)
    not_for_synthesis = _end_synthesis(release)
    annotators = taking_back.end(release, today)
    lost = recalled or not_for_synthesis or annotators
    release.recalls_published_on = today
    release.changed_on = today if lost or returned else release.changed_on
    release.samples = samples.remaining(release)
    release.save(update_fields=["recalls_published_on", "changed_on", "samples"])
    if recalled or returned:
        contents.keep(release)
    for campaign in release.campaigns.all() if recalled or returned else ():
        outbox.owe(Webhook.Event.CLIPS_RECALLED, campaign, now, release=release.slug)
    if lost:
        letters.owe_recalls(
            release, now, recalled=recalled, not_for_synthesis=not_for_synthesis, annotators=annotators
        )
    return recalled


def _end_synthesis(release: Release) -> int:
    """Mark the rows whose speakers do not agree to speech synthesis any more; for good."""
    agreed = live_for("task__clip__contributor", "task__clip__material", Purpose.SYNTHESIS)
    rows = release.rows.filter(synthesis=ReleaseRow.Synthesis.YES).exclude(agreed)
    return rows.update(synthesis=ReleaseRow.Synthesis.ENDED)


def _ended(release: Release) -> QuerySet[ReleaseRow]:
    return release.rows.filter(synthesis=ReleaseRow.Synthesis.ENDED)


def _published_on(release: Release) -> date:
    """The first publication is the day after the release, because a new release has no withdrawn clips."""
    return release.recalls_published_on or release.published_at.date()


def _ids(recalls: QuerySet[Recall]) -> list[str]:
    return sorted(recalls.values_list("public_id", flat=True))


def _enter_withheld_rows(release: Release) -> None:
    """Enter the rows that the release's audience may not have any more. Erased ones are entered by their
    erasure."""
    known = release.recalls.filter(public_id=OuterRef("public_id"))
    is_retracted = Q(release__retracted_at__isnull=False)
    is_live = Q(Exists(_live_tasks(release).filter(pk=OuterRef("task"))))
    withheld = release.rows.filter(~Exists(known)).filter(is_retracted | ~is_live)
    withdrawn = is_retracted | Q(task__clip__withdrawal__isnull=False) | ~Q(_is_owners_consent_live(release))
    found = withheld.annotate(is_final=Case(When(withdrawn, then=Value(True)), default=Value(False)))
    batch = []
    for public_id, is_final in found.values_list("public_id", "is_final").iterator(chunk_size=BATCH_SIZE):
        batch.append(Recall(release=release, public_id=public_id, is_final=is_final))
        if len(batch) == BATCH_SIZE:
            Recall.objects.bulk_create(batch, ignore_conflicts=True)
            batch = []
    Recall.objects.bulk_create(batch, ignore_conflicts=True)


def _live_tasks(release: Release) -> QuerySet[Task]:
    """The tasks whose clip the release's own audience may have now."""
    return Task.objects.live_for(Purpose(release.audience))


def _is_owners_consent_live(release: Release) -> Exists:
    """A condition on a row: its speaker agrees to the release's own audience."""
    return live_for("task__clip__contributor", "task__clip__material", Purpose(release.audience))

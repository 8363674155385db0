"""Freeze settled tasks into a Release, and read one back as rows for a training format.

A frozen row pins what was agreed. Whether its clip may still be handed out is asked anew at every read.
"""

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Sum

from accounts import audit, quarters
from accounts.models import Purpose

from . import splits, vault
from .formats.card import About
from .formats.rows import Row
from .models import Campaign, Clip, Release, ReleaseRow, Task

AT_ONCE = 2_000


class BadRelease(ValueError):
    """The release cannot be made as asked for; nothing was frozen."""


class Withdrawn(Exception):
    """A clip was withdrawn while its release was being read."""


@dataclass(frozen=True)
class Frozen:
    """What a freeze took and what it left, in numbers of tasks."""

    release: Release
    rows: int
    contributors: int
    unsettled: int
    unsure: int
    without_consent: int


@transaction.atomic
def freeze(
    slug: str,
    campaigns: Sequence[Campaign],
    now: datetime,
    *,
    min_confidence: float = 0.0,
    min_contributors: int = 1,
    audience: Purpose = Purpose.RESEARCHERS,
) -> Frozen:
    """Pin the settled tasks of these campaigns under ids that are random for this release.

    A reviewer's decision counts whatever the volunteers' agreement was. Raises BadRelease.
    """
    _check(slug, min_confidence, min_contributors)
    held = Task.objects.filter(campaign__in=campaigns)
    # What waits to be counted again may not stay as it is, so it waits for the next release.
    settled = held.filter(status=Task.Status.SETTLED, dirty_since=None)
    sure = settled.filter(Q(confidence__gte=min_confidence) | Q(adjudicated=True))
    taken = sure.live_for(audience)
    seconds = dict(taken.order_by().values_list("clip__contributor").annotate(seconds=Sum("clip__seconds")))
    if len(seconds) < max(min_contributors, 1):
        raise BadRelease(
            f"{len(seconds)} contributors have a settled clip here that may be released, "
            f"at least {max(min_contributors, 1)} are asked for."
        )
    release = Release.objects.create(
        slug=slug,
        min_confidence=min_confidence,
        min_contributors=min_contributors,
        audience=audience,
        published_at=now,
    )
    release.campaigns.set(campaigns)
    rows = _pin(release, taken, seconds)
    audit.record(audit.Act.RELEASED, f"release {release.slug}", None, now)
    counts = held.count(), settled.count(), sure.count()
    return Frozen(release, rows, len(seconds), counts[0] - counts[1], counts[1] - counts[2], counts[2] - rows)


def rows(release: Release) -> Iterator[Row]:
    """The release's rows whose clips may be handed out now, by their ids."""
    for row in _live(release).order_by("public_id").iterator(chunk_size=AT_ONCE):
        clip, campaign = row.task.clip, row.task.campaign
        wake_word = campaign.kind == Campaign.Kind.WAKE_WORD
        yield Row(
            id=row.public_id,
            speaker=row.speaker,
            split=row.split,
            kind=campaign.kind,
            wake_word=campaign.wake_word,
            label=row.answer if wake_word else None,
            text="" if wake_word else row.answer,
            seconds=clip.seconds,
            size=44 + 2 * round(clip.seconds * 16_000),
            confidence=row.confidence,
            soft=row.soft,
            language=clip.language,
        )


def about(release: Release) -> About:
    """What the papers of an archive say of the release; no time finer than a quarter."""
    return About(
        name=release.slug,
        title=release.slug,
        quarter=quarters.name(release.published_at),
        site=settings.SITE_URL,
        contact=settings.CONTACT,
        licence=release.licence,
    )


def audio(release: Release, row: Row) -> bytes:
    """The WAV of one row, if it may be handed out at this moment. Raises Withdrawn."""
    clip = Clip.objects.filter(tasks__release_rows__in=_live(release).filter(public_id=row.id)).first()
    if clip is None:
        raise Withdrawn(f"{row.id} was withdrawn while {release.slug} was being read")
    return vault.get(clip)


def _live(release: Release) -> QuerySet[ReleaseRow]:
    live = Task.objects.live_for(Purpose(release.audience))
    # What was recalled stays recalled, also where its contributor agreed anew.
    recalled = release.recalls.filter(public_id=OuterRef("public_id"))
    rows = release.rows.filter(~Exists(recalled), task__in=live)
    return rows.select_related("task__clip__contributor__data_key", "task__campaign")


def _pin(release: Release, taken: QuerySet[Task], seconds: dict[int, float]) -> int:
    speakers = {contributor: secrets.token_hex(8) for contributor in seconds}
    split = splits.assign({speakers[who]: seconds[who] for who in seconds}, seed=release.slug)
    count, batch = 0, []
    # Somebody's first clip may have been settled since the speakers were counted: it waits for the next.
    known = taken.filter(clip__contributor__in=list(speakers))
    for task in known.select_related("campaign", "clip__contributor__data_key").iterator(chunk_size=AT_ONCE):
        speaker = speakers[task.clip.contributor_id]
        batch.append(_row(release, task, speaker, split[speaker]))
        if len(batch) == AT_ONCE:
            count += len(ReleaseRow.objects.bulk_create(batch))
            batch = []
    return count + len(ReleaseRow.objects.bulk_create(batch))


def _row(release: Release, task: Task, speaker: str, split: str) -> ReleaseRow:
    return ReleaseRow(  # type: ignore[misc]
        release=release,
        task=task,
        public_id=secrets.token_hex(8),
        speaker=speaker,
        split=split,
        answer=task.answer or "",
        confidence=task.confidence or 0.0,
        soft=task.soft | {"adjudicated": task.adjudicated},
    )


def _check(slug: str, min_confidence: float, min_contributors: int) -> None:
    try:
        Release._meta.get_field("slug").clean(slug, None)
    except ValidationError:
        raise BadRelease(f"{slug!r} cannot name a release: up to 60 letters, digits, - and _ can.") from None
    if not 0 <= min_confidence <= 1:
        raise BadRelease(f"min-confidence is {min_confidence}, it lies between 0 and 1.")
    if min_contributors < 1:
        raise BadRelease(f"min-contributors is {min_contributors}, it is at least 1.")
    if Release.objects.filter(slug=slug).exists():
        raise BadRelease(f"There is a release {slug} already; a release is never changed.")

"""Freeze settled tasks into a Release, and read one back as rows for a training format.

A frozen row pins what was agreed. Whether its clip may still be handed out is asked anew at every read.
"""

import json
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any, NamedTuple

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Sum

from accounts import audit, keys, prepared, quarters
from accounts.models import DataKey, Purpose
from accounts.refusals import Refusal
from datasets import live, words
from datasets.models import Campaign, Clip, Recall, Release, ReleaseRow, Task

from . import splits
from .formats.card import About
from .formats.rows import Row

AT_ONCE = 2_000


class ReleaseRefusal(StrEnum):
    BAD_NAME = "bad-name"  # slug
    NAME_TAKEN = "name-taken"  # slug
    BAD_CONFIDENCE = "bad-confidence"  # found
    BAD_CONTRIBUTORS = "bad-contributors"  # found
    TOO_FEW_CONTRIBUTORS = "too-few-contributors"  # found, least


class BadRelease(Refusal):
    """The release cannot be made as asked for; nothing was frozen. Its code is a ReleaseRefusal."""


class ClipRefusal(StrEnum):
    WITHDRAWN = "withdrawn"  # row, release
    RESIZED = "resized"  # row


class ClipWithdrawn(Refusal):
    """A clip was withdrawn while its release was being read. Its code is a ClipRefusal."""


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
            ReleaseRefusal.TOO_FEW_CONTRIBUTORS, found=len(seconds), least=max(min_contributors, 1)
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
    """The release's rows whose clips may be handed out now, by their ids; some thousand are held at a time.

    Raises accounts.keys.KeyLost when words do not open any more.
    """
    last = ""
    while batch := list(_live(release).filter(public_id__gt=last).order_by("public_id")[:AT_ONCE]):
        last = batch[-1][0]
        opened = keys.KeyCache()
        # The whole batch at once: whoever reads may be slow, and the keys would change meanwhile.
        yield from [_read(_Held(*row), opened) for row in batch]


def amount(release: Release) -> tuple[int, float]:
    """How many clips of it may be handed out now, and how many seconds they are."""
    found = _live(release).aggregate(clips=Count("pk"), seconds=Sum("task__clip__seconds"))
    return found["clips"], found["seconds"] or 0.0


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


def places(release: Release, ids: Sequence[str]) -> list[tuple[str, bytes]]:
    """Where the WAVs of some rows lie and the keys of their clips, for `vault.opened`, in the order of `ids`.

    Raises ClipWithdrawn where one may not be handed out at this moment, and accounts.keys.KeyLost.
    """
    statement = _live_sounds(Purpose(release.audience))
    found = {row[0]: row[1:] for row in prepared.rows(*statement, (release.pk, list(ids)))}
    opened = keys.KeyCache()
    return [_place(release, public_id, found.get(public_id), opened) for public_id in ids]


class _Held(NamedTuple):
    """A row as `_live` reads it, in the order of _COLUMNS."""

    public_id: str
    speaker: str
    split: str
    plain_answer: str
    sealed_answer: memoryview
    plain_soft: dict[str, Any]
    sealed_soft: memoryview
    confidence: float
    campaign: int
    kind: str
    wake_word: str
    clip: int
    seconds: float
    language: str
    stored_as: str
    wrapped_key: memoryview
    contributor: int
    data_key: memoryview | None
    master: str | None


_COLUMNS = (
    "public_id",
    "speaker",
    "split",
    "plain_answer",
    "sealed_answer",
    "plain_soft",
    "sealed_soft",
    "confidence",
    "task__campaign_id",
    "task__campaign__kind",
    "task__campaign__wake_word",
    "task__clip_id",
    "task__clip__seconds",
    "task__clip__language",
    "task__clip__stored_as",
    "task__clip__wrapped_key",
    "task__clip__contributor_id",
    "task__clip__contributor__data_key__wrapped",
    "task__clip__contributor__data_key__master",
)


def _live(release: Release) -> QuerySet[ReleaseRow, tuple[Any, ...]]:
    """The rows whose clips may be handed out now."""
    allowed = Task.objects.live_for(Purpose(release.audience))
    # A recall is final, even if the contributor gives consent again.
    recalled = release.recalls.filter(public_id=OuterRef("public_id"))
    return release.rows.filter(~Exists(recalled), task__in=allowed).values_list(*_COLUMNS)


@cache
def _live_sounds(audience: Purpose) -> tuple[str, str]:
    """A name, and the statement for the sounds of some rows, planned once.

    Its condition is that of `_live`; a test compares both in every state that a clip can be in. Written by
    hand, because Django's statement joins one table more and takes a third longer.
    """
    return (
        f"live_sounds_{audience}",
        f"""
        SELECT held.public_id, clip.stored_as, clip.wrapped_key, clip.contributor_id, key.wrapped, key.master
        FROM {ReleaseRow._meta.db_table} held
        JOIN {Task._meta.db_table} task ON task.id = held.task_id
        JOIN {Clip._meta.db_table} clip ON clip.id = task.clip_id
        LEFT JOIN {DataKey._meta.db_table} key ON key.person_id = clip.contributor_id
        WHERE held.release_id = %s AND held.public_id = ANY(%s::text[])
        AND {live.tasks(audience, "task.id")}
        AND NOT EXISTS (
            SELECT FROM {Recall._meta.db_table} recalled
            WHERE recalled.release_id = held.release_id AND recalled.public_id = held.public_id
        )
        """,
    )


def _place(
    release: Release, public_id: str, found: tuple[Any, ...] | None, opened: keys.KeyCache
) -> tuple[str, bytes]:
    if found is None:
        raise ClipWithdrawn(ClipRefusal.WITHDRAWN, row=public_id, release=release.slug)
    stored_as, wrapped_key, *owner = found
    return stored_as, _clip_key(stored_as, wrapped_key, opened.data_key(*owner))


def _read(held: _Held, opened: keys.KeyCache) -> Row:
    answer, soft = _words(held, opened)
    wake_word = held.kind == Campaign.Kind.WAKE_WORD
    return Row(
        id=held.public_id,
        speaker=held.speaker,
        split=held.split,
        kind=held.kind,
        wake_word=held.wake_word,
        label=answer if wake_word else None,
        text="" if wake_word else answer,
        seconds=held.seconds,
        size=44 + 2 * round(held.seconds * 16_000),
        confidence=held.confidence,
        soft=soft,
        language=held.language,
    )


def _words(held: _Held, opened: keys.KeyCache) -> tuple[str, dict[str, Any]]:
    """Its answer and the evidence for it, wherever they lie: in plain or under the clip's key."""
    if not held.sealed_answer and not held.sealed_soft:
        return held.plain_answer, held.plain_soft
    data_key = opened.data_key(held.contributor, held.data_key, held.master)
    key = _clip_key(held.stored_as, held.wrapped_key, data_key)

    def word(name: str, sealed: memoryview, plain: Any) -> Any:
        label = words.sealed_as(ReleaseRow, name, held.clip, held.campaign)
        return json.loads(keys.unseal(key, bytes(sealed), label)) if sealed else plain

    return (
        word("answer", held.sealed_answer, held.plain_answer),
        word("soft", held.sealed_soft, held.plain_soft),
    )


def _clip_key(stored_as: str, wrapped_key: memoryview, data_key: bytes) -> bytes:
    return keys.unseal(data_key, bytes(wrapped_key), Clip.sealed_as(stored_as))


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
        raise BadRelease(ReleaseRefusal.BAD_NAME, slug=slug) from None
    if not 0 <= min_confidence <= 1:
        raise BadRelease(ReleaseRefusal.BAD_CONFIDENCE, found=min_confidence)
    if min_contributors < 1:
        raise BadRelease(ReleaseRefusal.BAD_CONTRIBUTORS, found=min_contributors)
    if Release.objects.filter(slug=slug).exists():
        raise BadRelease(ReleaseRefusal.NAME_TAKEN, slug=slug)

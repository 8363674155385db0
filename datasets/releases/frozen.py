"""Freeze settled tasks into a Release, and read one back as rows for a training format.

A row keeps the label as it was when the release was made. What a release lists changes once a day, with the
recall feed. Whether a sound and its words may still be handed out is checked at every read.
"""

import json
import secrets
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Sum

from accounts import audit, keys, prepared, quarters
from accounts.models import DataKey, Purpose, User
from accounts.refusals import Refusal
from datasets import live, words
from datasets.models import Campaign, Clip, Recall, Release, ReleaseRow, Task, Webhook, is_cleared_for
from datasets.webhooks import outbox

from . import blank, sound_files, splits
from .formats.card import About
from .formats.rows import Row
from .sound_files import Sound

BATCH_SIZE = 2_000


class ReleaseRefusal(StrEnum):
    BAD_NAME = "bad-name"  # slug
    NAME_TAKEN = "name-taken"  # slug
    BAD_CONFIDENCE = "bad-confidence"  # found
    BAD_CONTRIBUTORS = "bad-contributors"  # found
    TOO_FEW_CONTRIBUTORS = "too-few-contributors"  # found, least
    TOO_FEW_CLEARED = "too-few-cleared"  # found, least, not_cleared


class BadRelease(Refusal):
    """The release cannot be made as asked for; nothing was frozen. Its code is a ReleaseRefusal."""


@dataclass(frozen=True)
class Selection:
    """The tasks that a release would take, and how many are left out, each for its first reason."""

    taken: QuerySet[Task]
    unsettled: int
    unsure: int
    without_consent: int
    not_cleared: int


def select(campaigns: Sequence[Campaign], min_confidence: float, audience: Purpose) -> Selection:
    """A task that a reviewer decided is taken at any confidence."""
    tasks = Task.objects.filter(campaign__in=campaigns)
    # A dirty task will be settled again, maybe with another answer, so it waits for the next release.
    settled = tasks.filter(status=Task.Status.SETTLED, dirty_since=None)
    sure = settled.filter(Q(confidence__gte=min_confidence) | Q(adjudicated=True))
    agreed = sure.live_for(audience)
    taken = agreed.filter(is_cleared_for(audience))
    counts = [each.count() for each in (tasks, settled, sure, agreed, taken)]
    return Selection(taken, *(more - fewer for more, fewer in pairwise(counts)))


@dataclass(frozen=True)
class FreezeResult:
    """The release, and how many tasks were taken and left out."""

    release: Release
    rows: int
    contributors: int
    unsettled: int
    unsure: int
    without_consent: int
    not_cleared: int


@transaction.atomic
def freeze(
    slug: str,
    campaigns: Sequence[Campaign],
    now: datetime,
    *,
    min_confidence: float = 0.0,
    min_contributors: int = 1,
    audience: Purpose = Purpose.RESEARCHERS,
    licence: str = "CC0-1.0",
    clearing: Mapping[str, Any] | None = None,
    by: User | None = None,
) -> FreezeResult:
    """Pin the settled tasks of these campaigns under ids that are random for this release.

    A task that a reviewer decided is taken at any confidence. A public release has only clips that privacy
    reviewers cleared; `clearing` is what its card says of that. Raises BadRelease.
    """
    _validate(slug, min_confidence, min_contributors)
    _wait_for_silencing()
    found = select(campaigns, min_confidence, audience)
    taken, not_cleared = found.taken, found.not_cleared
    seconds = dict(taken.order_by().values_list("clip__contributor").annotate(seconds=Sum("clip__seconds")))
    _check_contributors(len(seconds), min_contributors, not_cleared)
    release = Release.objects.create(
        slug=slug,
        min_confidence=min_confidence,
        min_contributors=min_contributors,
        audience=audience,
        licence=licence,
        published_at=now,
    )
    release.campaigns.set(campaigns)
    pinned, changed = _pin(release, taken, seconds), _leave_out_changed(release)
    not_cleared += changed
    contributors = _count_contributors(release)
    _check_contributors(contributors, min_contributors, not_cleared)
    release.clearing = dict(clearing or {}) | {"not_cleared": not_cleared}
    release.save(update_fields=["clearing"])
    for campaign in campaigns:
        outbox.owe(Webhook.Event.RELEASE_MADE, campaign, now, release=release.slug)
    audit.record(audit.Act.RELEASED, f"release {release.slug}", by, now)
    return FreezeResult(
        release,
        rows=pinned - changed,
        contributors=contributors,
        unsettled=found.unsettled,
        unsure=found.unsure,
        without_consent=found.without_consent,
        not_cleared=not_cleared,
    )


def _check_contributors(found: int, least: int, not_cleared: int) -> None:
    least = max(least, 1)
    if found < least and not_cleared:
        raise BadRelease(ReleaseRefusal.TOO_FEW_CLEARED, found=found, least=least, not_cleared=not_cleared)
    if found < least:
        raise BadRelease(ReleaseRefusal.TOO_FEW_CONTRIBUTORS, found=found, least=least)


def _count_contributors(release: Release) -> int:
    return release.rows.aggregate(found=Count("speaker", distinct=True))["found"] or 0


def _leave_out_changed(release: Release) -> int:
    """Take out again what is not cleared any more, or is being changed at this moment; returns how many.

    Pinning takes a while, and clips are reported meanwhile. These are locked until the release is committed:
    a later report finds it made. One that is in somebody's hands is not waited for.
    """
    audience, out = Purpose(release.audience), 0
    must_be_cleared = Q() if audience == Purpose.PUBLIC else Q(task__campaign__needs_clearing=True)
    rows = release.rows.filter(must_be_cleared)
    clips = list(rows.order_by("task__clip").values_list("task__clip", flat=True).distinct())
    for start in range(0, len(clips), BATCH_SIZE):
        batch = Clip.objects.filter(pk__in=clips[start : start + BATCH_SIZE]).order_by("pk")
        locked = list(batch.select_for_update(no_key=True, skip_locked=True).values_list("pk", flat=True))
        # Asked once they are locked, so that it sees what was committed until then.
        still = Task.objects.live_for(audience).filter(is_cleared_for(audience), clip__in=locked)
        out += rows.filter(task__clip__in=batch).exclude(task__in=still).delete()[0]
    return out


def rows(release: Release, with_words: bool = True) -> Iterator[Row]:
    """The release's rows as of the day's recall feed, ordered by id, read in batches.

    The row of a clip that may not be handed out any more stays until the next feed, so that no list says at
    what time someone left. Its words are blank. Without `with_words`, those of all rows are.
    Raises accounts.keys.KeyLost when the key of sealed words is gone.
    """
    last, size = "", BATCH_SIZE
    while size == BATCH_SIZE:
        batch = list(_stored_rows(release).filter(public_id__gt=last).order_by("public_id")[:BATCH_SIZE])
        size, first = len(batch), last
        last = batch[-1][0] if batch else ""
        # Read after the batch, so that a row that is erased meanwhile is in one of both, or in both.
        erased = release.recalls.erased().filter(public_id__gt=first)
        erased = erased.filter(public_id__lte=last) if size == BATCH_SIZE else erased
        found = {public_id: Row(id=public_id, **_without_digest(line)) for public_id, line in _lines(erased)}
        key_cache = keys.KeyCache()
        found |= {row[0]: _row(release, _StoredRow(*row), key_cache, with_words) for row in batch}
        # A list, not a generator: the reader may be slow, and the keys may be replaced while it reads.
        yield from [found[public_id] for public_id in sorted(found)]


def amount(release: Release) -> tuple[int, float]:
    """How many clips it holds as of the day's recall feed, and how many seconds they last."""
    found = release.rows.listed().aggregate(clips=Count("pk"), seconds=Sum("task__clip__seconds"))
    erased = [line["seconds"] for _public_id, line in _lines(release.recalls.erased())]
    return found["clips"] + len(erased), (found["seconds"] or 0.0) + sum(erased)


def count_silent(release: Release) -> int:
    """How many of these clips may not be handed out any more, and are silent until the next feed."""
    withheld = release.rows.listed().exclude(task__in=Task.objects.live_for(Purpose(release.audience)))
    return withheld.count() + release.recalls.erased().count()


def about(release: Release) -> About:
    """The facts about the release in an archive's card and licence; no time finer than a quarter, except days
    that the recall feed names."""
    return About(
        name=release.slug,
        title=release.slug,
        quarter=quarters.name(release.published_at),
        site=settings.SITE_URL,
        contact=settings.CONTACT,
        licence=release.licence,
        is_public=release.audience == Purpose.PUBLIC,
        clearing=release.clearing,
        as_of=changed.isoformat() if (changed := _changed_on(release)) else "",
    )


def sounds(release: Release, ids: Sequence[str]) -> list[Sound]:
    """The sounds of some rows, in the order of `ids`. Raises accounts.keys.KeyLost."""
    statement = _sounds_statement(Purpose(release.audience))
    found = {row[0]: row[1:] for row in prepared.rows(*statement, (release.pk, list(ids)))}
    key_cache = keys.KeyCache()
    known = {public_id: _sound(_SoundRow(*row), key_cache) for public_id, row in found.items()}
    if len(known) < len(ids):
        erased = release.recalls.erased().filter(public_id__in=ids)
        gone = {each: Sound(digest=bytes.fromhex(line["digest"])) for each, line in _lines(erased)}
        known = gone | known
    return [known.get(public_id, Sound()) for public_id in ids]


def lines_of(release: Release, ids: Collection[str]) -> dict[str, dict[str, Any]]:
    """What the release's lists say of these rows, by id, without their words but with each file's digest.

    For a recall, which keeps it from the erasure to the next feed.
    """
    stored = _stored_rows(release).filter(public_id__in=ids).order_by("public_id")
    withheld = [_StoredRow(*row)._replace(is_live=False) for row in stored]
    key_cache = keys.KeyCache()
    kept = {}
    for found, sound in zip(withheld, sounds(release, [row.public_id for row in withheld]), strict=True):
        row = asdict(_row(release, found, key_cache, with_words=True))
        public_id = row.pop("id")
        digest = sound_files.digest(sound, row["size"], sound_files.mark(release, public_id))
        kept[public_id] = row | {"digest": digest.hex()}
    return kept


class _StoredRow(NamedTuple):
    """A row as `_stored_rows` reads it: _COLUMNS, and whether its clip may be handed out now."""

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
    is_live: bool


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


def _changed_on(release: Release) -> date | None:
    """The day of the newest recall feed that differs from the one before it; None if all were empty."""
    days = release.recalls.values_list("published_on", "returned_on").distinct()
    return max((day for row in days for day in row if day), default=None)


def _stored_rows(release: Release) -> QuerySet[ReleaseRow, tuple[Any, ...]]:
    """The listed rows, as _StoredRow has them."""
    live = Task.objects.live_for(Purpose(release.audience), per_row=True).filter(pk=OuterRef("task"))
    return release.rows.listed().annotate(is_live=Exists(live)).values_list(*_COLUMNS, "is_live")


@cache
def _sounds_statement(audience: Purpose) -> tuple[str, str]:
    """A name, and the statement for the sounds of some rows, planned once.

    Which may be sent follows the rule of `_stored_rows`; a test compares both in every state of a clip. Of a
    release that was retracted meanwhile, none may. It is written by hand because Django's own statement joins
    one more table and takes a third longer.
    """
    return (
        f"release_sounds_{audience}",
        f"""
        SELECT pinned.public_id, clip.stored_as, clip.wrapped_key,
            clip.contributor_id, key.wrapped, key.master,
            {live.task_condition(audience, "task.id")}
            AND NOT EXISTS (
                SELECT FROM {Recall._meta.db_table} recalled
                WHERE recalled.release_id = pinned.release_id AND recalled.public_id = pinned.public_id
                AND recalled.published_on IS NOT NULL AND recalled.returned_on IS NULL
            )
            AND EXISTS (
                SELECT FROM {Release._meta.db_table} release
                WHERE release.id = pinned.release_id AND release.retracted_at IS NULL
            )
        FROM {ReleaseRow._meta.db_table} pinned
        JOIN {Task._meta.db_table} task ON task.id = pinned.task_id
        JOIN {Clip._meta.db_table} clip ON clip.id = task.clip_id
        LEFT JOIN {DataKey._meta.db_table} key ON key.person_id = clip.contributor_id
        WHERE pinned.release_id = %s AND pinned.public_id = ANY(%s::text[])
        """,
    )


class _SoundRow(NamedTuple):
    """A sound as `_sounds_statement` reads it, after its id."""

    stored_as: str
    wrapped_key: memoryview
    contributor: int
    data_key: memoryview | None
    master: str | None
    may_be_sent: bool


def _sound(row: _SoundRow, key_cache: keys.KeyCache) -> Sound:
    try:
        data_key = key_cache.data_key(row.contributor, row.data_key, row.master)
        return Sound(row.stored_as, _clip_key(row.stored_as, row.wrapped_key, data_key), row.may_be_sent)
    except keys.KeyLost:
        if row.may_be_sent:
            raise
        return Sound()


def _lines(erased: QuerySet[Recall]) -> Iterator[tuple[str, dict[str, Any]]]:
    for recall in erased.iterator(chunk_size=BATCH_SIZE):
        yield recall.public_id, recall.line or {}


def _without_digest(line: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in line.items() if name != "digest"}


def _row(release: Release, row: _StoredRow, key_cache: keys.KeyCache, with_words: bool) -> Row:
    is_label = row.kind == Campaign.Kind.WAKE_WORD
    answer, soft = _answer_and_soft(row, key_cache) if is_label or with_words else ("", {})
    return Row(
        id=row.public_id,
        speaker=row.speaker,
        split=row.split,
        kind=row.kind,
        wake_word=row.wake_word,
        label=answer if is_label else None,
        text="" if is_label else answer,
        seconds=row.seconds,
        size=sound_files.size(row.seconds, sound_files.mark(release, row.public_id)),
        confidence=row.confidence,
        soft=soft,
        language=row.language,
    )


def _answer_and_soft(row: _StoredRow, key_cache: keys.KeyCache) -> tuple[str, dict[str, Any]]:
    """Labels are stored as plain text and stay listed; transcripts are under the clip's key, and blank if the
    clip may not be handed out any more."""
    if row.kind == Campaign.Kind.WAKE_WORD:
        return row.plain_answer, row.plain_soft
    try:
        answer, soft = _unsealed(row, key_cache)
    except keys.KeyLost:
        if row.is_live:
            raise
        return "", {}
    return (answer, soft) if row.is_live else (blank.text(answer), blank.evidence(soft))


def _unsealed(row: _StoredRow, key_cache: keys.KeyCache) -> tuple[str, dict[str, Any]]:
    if not row.sealed_answer and not row.sealed_soft:
        return row.plain_answer, row.plain_soft
    data_key = key_cache.data_key(row.contributor, row.data_key, row.master)
    key = _clip_key(row.stored_as, row.wrapped_key, data_key)

    def unsealed(name: str, sealed: memoryview, plain: Any) -> Any:
        label = words.seal_label(ReleaseRow, name, row.clip, row.campaign)
        return json.loads(keys.unseal(key, bytes(sealed), label)) if sealed else plain

    return (
        unsealed("answer", row.sealed_answer, row.plain_answer),
        unsealed("soft", row.sealed_soft, row.plain_soft),
    )


def _clip_key(stored_as: str, wrapped_key: memoryview, data_key: bytes) -> bytes:
    return keys.unseal(data_key, bytes(wrapped_key), Clip.key_label_of(stored_as))


def _pin(release: Release, taken: QuerySet[Task], seconds: dict[int, float]) -> int:
    speakers = {contributor: secrets.token_hex(8) for contributor in seconds}
    split = splits.assign({speakers[each]: seconds[each] for each in seconds}, seed=release.slug)
    count, batch = 0, []
    # Speakers whose first clip was settled after speakers were counted wait for the next release.
    known = taken.filter(clip__contributor__in=list(speakers))
    tasks = known.select_related("campaign", "clip__contributor__data_key")
    for task in tasks.iterator(chunk_size=BATCH_SIZE):
        speaker = speakers[task.clip.contributor_id]
        batch.append(_pinned_row(release, task, speaker, split[speaker]))
        if len(batch) == BATCH_SIZE:
            count += len(ReleaseRow.objects.bulk_create(batch))
            batch = []
    return count + len(ReleaseRow.objects.bulk_create(batch))


def _pinned_row(release: Release, task: Task, speaker: str, split: str) -> ReleaseRow:
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


# See accounts.models for the other advisory locks.
FREEZE_LOCK = 7_306


def is_freezing() -> bool:
    """Whether a release is being made. If not, none begins until this transaction ends.

    A release in the making holds words under a clip's key that only it can see. So while one is made, no
    clip's key may be replaced.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT NOT pg_try_advisory_xact_lock_shared(%s)", [FREEZE_LOCK])
        return bool(cursor.fetchone()[0])


def _wait_for_silencing() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [FREEZE_LOCK])


def _validate(slug: str, min_confidence: float, min_contributors: int) -> None:
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

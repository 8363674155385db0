"""Read a release back as rows for a training format.

A row keeps what it said when the release was made. What a release lists changes once a day, with the
recall feed. Whether a sound and its words may still be handed out is checked at every read.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from functools import cache
from typing import Any, NamedTuple

from django.db.models import QuerySet

from accounts import keys, prepared
from accounts.models import DataKey, Purpose
from datasets import live, words
from datasets.models import Campaign, Clip, Recall, Release, ReleaseRow, Task

from . import blank, pinning, single_votes, sound_files, spans
from .formats.layout import Block
from .formats.rows import SPLITS, Row, SingleVote
from .formats.subsets import Subset
from .groups import ASKED_OF_SEVERAL
from .sound_files import Sound
from .spans import START, Place, Position, Span


def rows(release: Release, with_words: bool = True) -> Iterator[Row]:
    """The release's rows as of the day's recall feed, ordered by id, read in batches.

    The row of a clip that may not be handed out any more stays until the next feed, so that no list says at
    what time someone left. Its words are blank. Without `with_words`, those of all rows are.
    Raises accounts.keys.KeyLost when the key of sealed words is gone.
    """
    return _walk(_Reader(release, None, with_words), by_speaker=False)


def in_format_order(release: Release, by_speaker: bool) -> Iterator[Row]:
    """The same with words, by subset, by split, and then by id, or by speaker and id."""
    for subset in range(len(release.subsets)):
        for split in sorted(SPLITS):
            yield from _walk(_Reader(release, (subset, split), with_words=True), by_speaker)


def block(release: Release, planned: Block, by_speaker: bool, with_words: bool) -> list[Row]:
    """The rows of one block of an archive, in the format's order.

    Without words they say no more than what the name and place of a file need, which takes half of the time.
    """
    place, first, last = planned.first[:2], planned.first[2:], planned.last[2:]
    reader = _Reader(release, place, with_words, is_short=not with_words)
    return reader.read(Span(place, by_speaker, first, last))


def _walk(reader: "_Reader", by_speaker: bool) -> Iterator[Row]:
    """All rows of the reader's place, read in batches."""
    position = START
    while True:
        last = spans.last_of_batch(reader.release, reader.place, by_speaker, position)
        # A list, not a generator: the reader may be slow, and the keys may be replaced while it reads.
        yield from reader.read(Span(reader.place, by_speaker, position, last, with_first=False))
        if last is None:
            return
        position = last


class _Reader:
    """Reads rows of one place of a release, those erased since the last feed included."""

    def __init__(self, release: Release, place: Place, with_words: bool, is_short: bool = False) -> None:
        self.release, self.place = release, place
        self._with_words, self._is_short = with_words, is_short
        self._subsets = pinning.subsets_of(release)

    def read(self, span: Span) -> list[Row]:
        key_cache = keys.KeyCache()
        batch = self._listed(span)
        votes = self._single_votes([row.public_id for row in batch])
        # Read after the batch, so that a row that is erased meanwhile is in one of both, or in both. If it is
        # in both, its votes may have been erased before they were read.
        found = {row.id: row for row in self._erased(span)}
        whole = (row for row in batch if row.public_id in votes or row.public_id not in found)
        found |= {row.public_id: self._row(row, votes.get(row.public_id, ()), key_cache) for row in whole}
        return sorted(found.values(), key=lambda row: _position(row, span.by_speaker))

    def _listed(self, span: Span) -> "Sequence[_ShortRow | _StoredRow]":
        if self._is_short:
            return [_ShortRow(*row) for row in spans.listed(self.release, span, _SHORT, None)]
        if self._has_words():
            audience = Purpose(self.release.audience)
            return list(map(_from_text, spans.listed(self.release, span, _COLUMNS, audience)))
        return list(map(_from_text, spans.listed(self.release, span, _OPEN_COLUMNS, None)))

    def _has_words(self) -> bool:
        """Whether they are read, which needs keys, and to know which clips may be handed out. Labels need
        neither: they stay listed. Single votes on them need to know it."""
        is_labels = self.place is not None and self._subsets[self.place[0]].kind == Campaign.Kind.WAKE_WORD
        return self._with_words and (self.release.has_single_votes or not is_labels)

    def _single_votes(self, ids: Sequence[str]) -> Mapping[str, Sequence[single_votes.Stored]]:
        has_any = self.release.has_single_votes and self._with_words and not self._is_short
        return single_votes.stored(self.release, ids) if has_any else {}

    def _erased(self, span: Span) -> Iterator[Row]:
        for public_id, line in spans.erased(self.release, span):
            row = _row_of(public_id, line)
            if span.has((row.subset, row.split), _position(row, span.by_speaker)):
                yield row

    def _row(
        self,
        row: "_ShortRow | _StoredRow",
        votes: Sequence[single_votes.Stored],
        key_cache: keys.KeyCache,
    ) -> Row:
        if isinstance(row, _ShortRow):
            return _short_row(self.release, self._subsets, row)
        made = _row(self.release, self._subsets, row, key_cache, self._with_words)
        return replace(made, single_votes=_told(row, votes, key_cache)) if votes else made


def _position(row: Row, by_speaker: bool) -> Position:
    return row.speaker if by_speaker else "", row.id


def count_silent(release: Release) -> int:
    """How many of these clips may not be handed out any more, and are silent until the next feed."""
    withheld = release.rows.listed().exclude(task__in=Task.objects.live_for(Purpose(release.audience)))
    return withheld.count() + release.recalls.erased().count()


def sounds(release: Release, ids: Sequence[str], purpose: Purpose | None = None) -> list[Sound]:
    """The sounds of some rows, in the order of `ids`, for a format that has a purpose of its own if need be.

    Raises accounts.keys.KeyLost.
    """
    statement = _sounds_statement(Purpose(release.audience), purpose)
    found = {row[0]: row[1:] for row in prepared.rows(*statement, (release.pk, list(ids)))}
    key_cache = keys.KeyCache()
    known = {
        public_id: _sound(_SoundRow(*row), key_cache)._replace(is_disguised=release.is_disguised)
        for public_id, row in found.items()
    }
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
    subsets = pinning.subsets_of(release)
    votes = single_votes.stored(release, ids) if release.has_single_votes else {}
    key_cache = keys.KeyCache()
    kept = {}
    for found, sound in zip(withheld, sounds(release, [row.public_id for row in withheld]), strict=True):
        row = asdict(_row(release, subsets, found, key_cache, with_words=True))
        row["single_votes"] = [single_votes.blank(vote) for vote in votes.get(found.public_id, ())]
        public_id = row.pop("id")
        digest = sound_files.digest(sound, row["size"], sound_files.mark(release, public_id))
        kept[public_id] = row | {"digest": digest.hex()}
    return kept


class _StoredRow(NamedTuple):
    """A row as it is stored: _OPEN_COLUMNS, or _COLUMNS and whether its clip may be handed out now."""

    public_id: str
    speaker: str
    split: str
    plain_answer: str
    sealed_answer: memoryview
    plain_soft: dict[str, Any]
    sealed_soft: memoryview
    confidence: float
    votes: int
    synthesis: str
    subset: int
    asked: int
    licence: str
    source: str
    previous_id: str
    changed_by: str
    campaign: int
    clip: int
    seconds: float
    snr: float | None
    clipping: float | None
    speech_share: float | None
    stored_as: str = ""
    wrapped_key: memoryview = memoryview(b"")
    contributor: int = 0
    data_key: memoryview | None = None
    master: str | None = None
    is_live: bool = False


# What needs no key.
_OPEN_COLUMNS = (
    "public_id",
    "speaker",
    "split",
    "plain_answer",
    "sealed_answer",
    "plain_soft",
    "sealed_soft",
    "confidence",
    "votes",
    "synthesis",
    "subset",
    "asked",
    "licence",
    "source",
    "previous_id",
    "changed_by",
    "task__campaign_id",
    "task__clip_id",
    "task__clip__seconds",
    "snr",
    "clipping",
    "speech_share",
)
_COLUMNS = (
    *_OPEN_COLUMNS,
    "task__clip__stored_as",
    "task__clip__wrapped_key",
    "task__clip__contributor_id",
    "task__clip__contributor__data_key__wrapped",
    "task__clip__contributor__data_key__master",
)


_SOFT = _OPEN_COLUMNS.index("plain_soft")


class _ShortRow(NamedTuple):
    """What names and places of files are made from."""

    public_id: str
    speaker: str
    split: str
    plain_answer: str
    confidence: float
    subset: int
    previous_id: str
    changed_by: str
    seconds: float


_SHORT = (*_ShortRow._fields[:-1], "task__clip__seconds")


def _short_row(release: Release, subsets: Sequence[Subset], row: _ShortRow) -> Row:
    subset = subsets[row.subset]
    is_label = subset.kind == Campaign.Kind.WAKE_WORD
    return Row(
        id=row.public_id,
        speaker=row.speaker,
        split=row.split,
        kind=subset.kind,
        wake_word=subset.wake_word,
        label=row.plain_answer if is_label else None,
        text="",
        seconds=row.seconds,
        size=_size(release, row.seconds, row.public_id),
        confidence=row.confidence,
        soft={},
        language=subset.language,
        subset=row.subset,
        folder=subset.folder,
        previous=row.previous_id,
        changed_by=row.changed_by,
    )


def _size(release: Release, seconds: float, public_id: str) -> int:
    return sound_files.size(seconds, sound_files.mark(release, public_id))


def _stored_rows(release: Release) -> QuerySet[ReleaseRow, tuple[Any, ...]]:
    """The listed rows, as _StoredRow has them."""
    rows = spans.with_live(release.rows.listed(), Purpose(release.audience))
    return rows.values_list(*_COLUMNS, "is_live")


def _from_text(row: tuple[Any, ...]) -> _StoredRow:
    """A row whose JSON is text."""
    values = *row[:_SOFT], json.loads(row[_SOFT]), *row[_SOFT + 1 :]
    return _StoredRow(*values)


@cache
def _sounds_statement(audience: Purpose, purpose: Purpose | None) -> tuple[str, str]:
    """A name, and the statement for the sounds of some rows, planned once.

    Which may be sent follows the rule of `_stored_rows`; a test compares both in every state of a clip. Of a
    release that was retracted meanwhile, none may. It is written by hand because Django's own statement joins
    one more table and takes a third longer.
    """
    return (
        f"release_sounds_{audience}_{purpose or ''}",
        f"""
        SELECT pinned.public_id, clip.stored_as, clip.wrapped_key,
            clip.contributor_id, key.wrapped, key.master,
            {live.task_condition(audience, "task.id")}
            AND {live.task_condition(purpose, "task.id") if purpose else "TRUE"}
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
    for recall in erased.iterator(chunk_size=spans.BATCH_SIZE):
        yield recall.public_id, recall.line or {}


def _row_of(public_id: str, line: dict[str, Any]) -> Row:
    """What is kept of an erased row, as a row."""
    said = {name: value for name, value in line.items() if name != "digest"}
    votes = tuple(SingleVote(*vote) for vote in said.pop("single_votes", ()))
    return Row(id=public_id, **said, single_votes=votes)


def _row(
    release: Release, subsets: Sequence[Subset], row: _StoredRow, key_cache: keys.KeyCache, with_words: bool
) -> Row:
    subset = subsets[row.subset]
    is_label = subset.kind == Campaign.Kind.WAKE_WORD
    answer, soft = _answer_and_soft(row, is_label, key_cache) if is_label or with_words else ("", {})
    asked = None if row.asked == ASKED_OF_SEVERAL else release.asked[row.asked]
    return Row(
        id=row.public_id,
        speaker=row.speaker,
        split=row.split,
        kind=subset.kind,
        wake_word=asked["wake_word"] if asked else subset.wake_word,
        label=answer if is_label else None,
        text="" if is_label else answer,
        seconds=row.seconds,
        size=_size(release, row.seconds, row.public_id),
        confidence=row.confidence,
        soft=soft,
        language=subset.language,
        subset=row.subset,
        folder=subset.folder,
        campaign=asked["slug"] if asked else "",
        licence=row.licence,
        source=row.source,
        votes=row.votes,
        snr=row.snr,
        clipping=row.clipping,
        speech_share=row.speech_share,
        for_synthesis=row.synthesis == ReleaseRow.Synthesis.YES,
        previous=row.previous_id,
        changed_by=row.changed_by,
    )


def _told(
    row: _StoredRow, votes: Sequence[single_votes.Stored], key_cache: keys.KeyCache
) -> tuple[SingleVote, ...]:
    """The single votes on a row, blank if the clip may not be handed out any more. Raises KeyLost."""
    if not row.is_live:
        return tuple(map(single_votes.blank, votes))
    label = single_votes.seal_label(row.clip, row.campaign)

    def unsealed(answer: memoryview) -> str:
        data_key = key_cache.data_key(row.contributor, row.data_key, row.master)
        key = _clip_key(row.stored_as, row.wrapped_key, data_key)
        return str(json.loads(keys.unseal(key, bytes(answer), label)))

    return tuple(single_votes.told(vote, unsealed) for vote in votes)


def _answer_and_soft(row: _StoredRow, is_label: bool, key_cache: keys.KeyCache) -> tuple[str, dict[str, Any]]:
    """Labels are stored as plain text and stay listed; transcripts are under the clip's key, and blank if the
    clip may not be handed out any more."""
    if is_label:
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

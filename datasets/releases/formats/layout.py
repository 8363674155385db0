"""The layout of an archive: its files, their sizes, and from which rows each stretch of it is made.

It is planned by one walk over the rows, which reads no sound, and holds no words. Any stretch of the archive
is made later from the rows of one block.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from .form import Document, Format
from .parts import Clips, Place, Segment, SoundOf, Table, size_of
from .rows import FormatRefusal, NotRepresentable, OutOfOrder, Row
from .subsets import Subset
from .summary import Summary

BLOCK_ROWS = 1000

# Where a row is in a format's order: subset, split, speaker (if the format is ordered by speaker), id.
Key = tuple[int, str, str, str]


class Block(NamedTuple):
    """Consecutive rows of one subset and one split, and of one speaker if the format is PER_SPEAKER.

    `kept` has a bit for each row that the format takes.
    """

    first: Key
    last: Key
    rows: int
    kept: int
    shard: int


class Run(NamedTuple):
    """What a block adds to the files of a part: `size` bytes of content, after a row of speaker `before`.

    Of clips: `size` with what a tar adds, `files` how many the checksums name, and `sums` the size of these
    lines.
    """

    block: int
    size: int
    before: str = ""
    files: int = 0
    sums: int = 0


@dataclass
class File:
    """A file of some part: its head, what blocks add to it, its tail."""

    path: str
    part: int
    size: int
    head: bytes = b""
    tail: bytes = b""
    runs: list[Run] = field(default_factory=list)


@dataclass
class Layout:
    """All files of an archive but its checksums, in their order: documents, tables, clips.

    `etag` identifies every byte but those that a withdrawal blanks, which move nothing.
    """

    documents: list[tuple[str, bytes]]
    files: list[File]
    clips: list[Run]
    blocks: list[Block]
    summary: Summary
    etag: str

    @property
    def file_count(self) -> int:
        return len(self.documents) + len(self.files) + sum(run.files for run in self.clips)


def key_of(row: Row, by_speaker: bool) -> Key:
    return row.subset, row.split, row.speaker if by_speaker else "", row.id


def in_order(rows: Iterable[Row], by_speaker: bool) -> Iterator[Row]:
    """The same rows. Raises OutOfOrder if a key is not greater than the one before, by code points.

    So a release gives the same bytes under any collation of the database, and no file overwrites another.
    """
    last: Key = (-1, "", "", "")
    for row in rows:
        key = key_of(row, by_speaker)
        if key <= last:
            raise OutOfOrder(f"row {row.id} came after {last[-1]}")
        last = key
        yield row


def kept(block: Block, rows: Sequence[Row]) -> list[Row]:
    """Those of the block's rows that the format takes, as it was decided when the archive was planned.

    Not decided anew, because words that are blank by now would decide otherwise.
    """
    if len(rows) != block.rows:
        raise OutOfOrder(f"{len(rows)} rows from {block.first[-1]} to {block.last[-1]}, not {block.rows}")
    return [row for number, row in enumerate(rows) if block.kept >> number & 1]


def plan(
    form: Format,
    subsets: Sequence[Subset],
    rows: Iterable[Row],
    parts: Sequence[Table | Clips],
    framed: Callable[[str, int], int],
    documents: Callable[[Summary, Sequence[tuple[str, int]]], Iterable[Document]],
    checksum_size: Callable[[str], int],
) -> Layout:
    """The layout of these rows. `framed` says how many bytes a file takes in the archive.

    `documents` makes the documents of every format from the counts and the other files' sizes. Raises
    NotRepresentable if the format takes none of the rows, and OutOfOrder.
    """
    walk = _Walk(form, subsets, parts, framed, checksum_size)
    for block in _blocks(in_order(rows, form.BY_SPEAKER), form.PER_SPEAKER):
        walk.add(block)
    if walk.summary.left_out and not walk.summary.clips:
        raise NotRepresentable(
            FormatRefusal.NO_CLIPS,
            format=form.NAME,
            reasons=", ".join(f"{number} {reason}" for reason, number in walk.summary.left_out.most_common()),
        )
    return walk.finished(documents)


def _blocks(rows: Iterable[Row], per_speaker: bool) -> Iterator[list[Row]]:
    block: list[Row] = []
    for row in rows:
        if block and (len(block) == BLOCK_ROWS or _apart(block[-1], row, per_speaker)):
            yield block
            block = []
        block.append(row)
    if block:
        yield block


def _apart(one: Row, other: Row, per_speaker: bool) -> bool:
    same_place = (one.subset, one.split) == (other.subset, other.split)
    return not same_place or (per_speaker and one.speaker != other.speaker)


@dataclass
class _Open:
    """A file while its blocks are added: identified by part, subset, split, speaker if there is a file for
    each, and shard."""

    runs: list[Run] = field(default_factory=list)
    notes: list[Any] = field(default_factory=list)
    speaker: str = ""


class _Walk:
    """One walk over the blocks of a release."""

    def __init__(
        self,
        form: Format,
        subsets: Sequence[Subset],
        parts: Sequence[Table | Clips],
        framed: Callable[[str, int], int],
        checksum_size: Callable[[str], int],
    ) -> None:
        self._form, self._subsets, self._framed, self._checksum_size = form, subsets, framed, checksum_size
        self._parts = parts
        self.summary = Summary()
        self._blocks: list[Block] = []
        self._clips: list[Run] = []
        self._open: dict[tuple[int, int, str, str, int], _Open] = {}
        self._shards: dict[tuple[int, str], int] = {}
        self._shard_bytes = 0
        self._tag = hashlib.sha256()

    def add(self, rows: list[Row]) -> None:
        taken, bits = [], 0
        for number, row in enumerate(rows):
            reason = self._form.why_left_out(row)
            if reason is None:
                taken.append(row)
                bits |= 1 << number
                self.summary.add(row)
            else:
                self.summary.left_out[reason] += 1
        first = rows[0]
        shard = self._shard(first.subset, first.split, sum(row.size for row in taken))
        begins, ends = (key_of(row, self._form.BY_SPEAKER) for row in (first, rows[-1]))
        self._blocks.append(Block(begins, ends, len(rows), bits, shard))
        for number, part in enumerate(self._parts):
            if not taken:
                continue
            if isinstance(part, Clips):
                self._add_clips(part, taken)
            else:
                self._add_to_table(number, part, taken, shard)

    def _shard(self, subset: int, split: str, size: int) -> int:
        """The shard that takes the block: the last one of its place, or a new one where that is full."""
        place = subset, split
        if place not in self._shards:
            self._shards[place] = self._shard_bytes = 0
        elif (
            self._form.SHARD_BYTES and self._shard_bytes and self._shard_bytes + size > self._form.SHARD_BYTES
        ):
            self._shards[place] += 1
            self._shard_bytes = 0
        self._shard_bytes += size
        return self._shards[place]

    def _add_clips(self, part: Clips, rows: list[Row]) -> None:
        paths = [part.path(row) for row in rows]
        files = zip(paths, rows, strict=True)
        size = sum(self._framed(path, row.size) for path, row in files if part.has(row))
        sums = sum(map(self._checksum_size, paths))
        self._clips.append(Run(len(self._blocks) - 1, size, files=len(rows), sums=sums))
        for path, row in zip(paths, rows, strict=True):
            self._tag.update(f"{path}\0{row.size}\0{row.id}\n".encode())

    def _add_to_table(self, number: int, part: Table, rows: list[Row], shard: int) -> None:
        whose = rows[0].speaker if self._form.PER_SPEAKER else ""
        key = number, rows[0].subset, rows[0].split, whose, shard
        file = self._open.setdefault(key, _Open())
        size = sum(map(size_of, part.content(rows, file.speaker)))
        file.runs.append(Run(len(self._blocks) - 1, size, file.speaker))
        file.notes.append(part.note(rows))
        file.speaker = rows[-1].speaker
        self._tag.update(f"{key}\0{size}\0{rows[0].id}\n".encode())

    def finished(
        self, documents: Callable[[Summary, Sequence[tuple[str, int]]], Iterable[Document]]
    ) -> Layout:
        files = [file for number in range(len(self._parts)) for file in self._files(number)]
        listed = [(file.path, file.size) for file in files]
        common = [(path, text.encode()) for path, text in documents(self.summary, listed)]
        for path, content in common:
            self._tag.update(f"{path}\0{hashlib.sha256(content).hexdigest()}\n".encode())
        # Those of a format may hold the letters of words, so only their place counts.
        own = self._form.documents(self._subsets, self.summary)
        special = [(path, text.encode()) for path, text in own]
        for path, content in special:
            self._tag.update(f"{path}\0{self._framed(path, len(content))}\n".encode())
        for file in files:
            self._tag.update(f"{file.path}\0{file.size}\n".encode())
        etag = f'"{self._tag.hexdigest()[:32]}"'
        return Layout([*common, *special], files, self._clips, self._blocks, self.summary, etag)

    def _files(self, number: int) -> list[File]:
        """The files of a part, those that are always there included, in the order of their paths."""
        part = self._parts[number]
        if isinstance(part, Clips):
            return []
        found = {path: _Open() for path in part.always}
        for (of, subset, split, speaker, shard), opened in self._open.items():
            if of == number:
                shards = self._shards[subset, split] + 1
                path = part.path(Place(self._subsets[subset], split, shard, shards, speaker))
                if path is not None:
                    _join(found.setdefault(path, _Open()), opened)
        return [_file(path, number, part, found[path]) for path in sorted(found)]


def _join(file: _Open, more: _Open) -> None:
    """Another place's rows follow in the same file.

    `before` is the speaker of the row before in the same place: no speaker is in two splits, and where one is
    in two subsets, a table that is ordered by speakers has a file for each.
    """
    file.runs.extend(more.runs)
    file.notes.extend(more.notes)


def _file(path: str, number: int, part: Table, found: _Open) -> File:
    tail = part.tail(found.notes)
    size = len(part.head) + sum(run.size for run in found.runs) + len(tail)
    return File(path, number, size, part.head, tail, found.runs)


def segments(part: Table, rows: Sequence[Row], run: Run) -> list[Segment]:
    """What a block's rows add to a file, with the size that was planned.

    Raises OutOfOrder if it has another one.
    """
    made = list(part.content(rows, run.before))
    if (size := sum(map(size_of, made))) != run.size:
        raise OutOfOrder(f"{size} bytes from {rows[0].id} to {rows[-1].id}, not {run.size}")
    return made


def sounds(segments: Iterable[Segment]) -> list[Row]:
    """The rows whose sounds are among the segments.

    >>> sounds([b"head"])
    []
    """
    return [segment.row for segment in segments if isinstance(segment, SoundOf)]

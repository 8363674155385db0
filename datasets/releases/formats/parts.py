"""What the files of a format are made of, so that any stretch of an archive can be made by itself.

A release is read in blocks: consecutive rows of one subset and one split. A format says for each of its files
what bytes a block adds to it. So an archive is planned by one walk over the rows, which notes sizes, and any
byte of it is made later from the rows of one block.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from .rows import Row
from .subsets import Subset


class SoundOf(NamedTuple):
    """The WAV of a row, which is read when it is sent. `number`: which clip of its block it is, from 0."""

    row: Row
    number: int = -1


# Some bytes of a file.
Segment = bytes | SoundOf


def size_of(segment: Segment) -> int:
    """In bytes, without reading the sound."""
    return segment.row.size if isinstance(segment, SoundOf) else len(segment)


class Place(NamedTuple):
    """Which of a format's files: those of this subset and split, and shard `shard` of `shards`, from 0.

    A format without shards has one shard for each subset and split. `speaker` is whose files they are in a
    format that is PER_SPEAKER, and else empty.
    """

    subset: Subset
    split: str
    shard: int = 0
    shards: int = 1
    speaker: str = ""


def _nothing(notes: Sequence[Any]) -> bytes:
    return b""


def _no_note(rows: Sequence[Row]) -> None:
    return None


@dataclass(frozen=True)
class Table:
    """Files that several rows share: tables, and packs of sounds.

    `path` names the file that takes the rows of a place, or says with None that none does. Places that follow
    each other may share a file. `content` makes the bytes that some consecutive rows add to it, in any number
    of segments; it also gets the speaker of the row before them in the same file, or "". It must give as many
    bytes for blanks as for the words whose place they take, so words may be neither compressed nor changed.

    `head` begins each file, and `tail` ends it; it is made from what `note` returned for each call of
    `content`, from `rows` alone and never from their words. `always` are files that are there even if no row
    is in them. Without `has_words` rows come with blanks for words, and need not be decrypted.
    """

    path: Callable[[Place], str | None]
    content: Callable[[Sequence[Row], str], Iterable[Segment]]
    head: bytes = b""
    tail: Callable[[Sequence[Any]], bytes] = _nothing
    note: Callable[[Sequence[Row]], Any] = _no_note
    always: Sequence[str] = ()
    has_words: bool = True


def _all(row: Row) -> bool:
    return True


@dataclass(frozen=True)
class Clips:
    """A WAV file for each row, at `path`. Labels, but no words, may be part of the path.

    The archive has those of the rows that `has` picks; its checksums have all.
    """

    path: Callable[[Row], str]
    has: Callable[[Row], bool] = _all


Part = Table | Clips

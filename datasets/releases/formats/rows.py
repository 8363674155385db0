"""What a format is given, rows and their audio, and what it gives, entries of an archive."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields
from enum import StrEnum
from functools import partial
from operator import attrgetter
from typing import Any, Protocol

from accounts.refusals import Refusal

SPLITS = ("train", "dev", "test")
WAKE_WORD, TRANSCRIPTION = "wake-word", "transcription"
KINDS = (WAKE_WORD, TRANSCRIPTION)

_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


@dataclass(frozen=True, slots=True)
class Row:
    """One settled clip of a release. Its ids are random and mean nothing outside the release.

    `text` is the settled transcript in normal form; `label` is yes, similar, no or noise, None for a
    transcription. `size` is that of the WAV in bytes, 44 + 2 a sample. `soft` is the verdict's evidence.
    Raises ValueError on an id that is no safe file name, an unknown split or an unknown kind.
    """

    id: str
    speaker: str
    split: str
    kind: str
    wake_word: str
    label: str | None
    text: str
    seconds: float
    size: int
    confidence: float
    soft: dict[str, Any]
    language: str

    def __post_init__(self) -> None:
        if not _FILE_NAME.fullmatch(self.id):
            raise ValueError(f"row id {self.id!r} is not safe as a file name")
        if self.split not in SPLITS:
            raise ValueError(f"row {self.id}: split {self.split!r} is none of {SPLITS}")
        if self.kind not in KINDS:
            raise ValueError(f"row {self.id}: kind {self.kind!r} is none of {KINDS}")

    def __reduce__(self) -> tuple[type["Row"], tuple[Any, ...]]:
        """Pickled as its values, which takes a tenth of what a dataclass does by itself."""
        return Row, _values(self)

    @property
    def answer(self) -> str | None:
        return self.label if self.kind == WAKE_WORD else self.text


_values = attrgetter(*(field.name for field in fields(Row)))


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of an archive: a relative POSIX path, a size in bytes, and the bytes when asked for.

    A sound's size is known before its bytes, so that a stream can skip it without reading; `sound` is then
    the id of its row. A text is made once to be measured, if that is asked, and again for its bytes.
    """

    path: str
    measured: int | Callable[[], int]
    chunks: Callable[[], Iterable[bytes]]
    sound: str = ""

    @property
    def size(self) -> int:
        return self.measured if isinstance(self.measured, int) else self.measured()

    def read(self) -> bytes:
        return b"".join(self.chunks())


# Read several times, and never held: a release can have 10 million rows. Each time the same rows come, in
# the order of their ids.
Rows = Callable[[], Iterable[Row]]

# The WAV of a row, of exactly `row.size` bytes.
Audio = Callable[[Row], bytes]


class Format(Protocol):
    """A module that writes one training format."""

    NAME: str
    LAYOUT: str

    def why_left_out(self, row: Row, /) -> str | None: ...

    def entries(self, rows: Rows, audio: Audio, /) -> Iterator[Entry]: ...


class FormatRefusal(StrEnum):
    UNKNOWN = "unknown-format"  # name, known
    SEVERAL_WAKE_WORDS = "several-wake-words"  # format, found


class UnknownFormat(Refusal):
    """There is no writer of that name. Its code is a FormatRefusal."""


class NotRepresentable(Refusal):
    """A format cannot hold this release. Its code is a FormatRefusal."""


class OutOfOrder(ValueError):
    """Rows came in another order than that of their ids, or one came twice."""


def in_order(rows: Iterable[Row]) -> Iterator[Row]:
    """The same rows. Raises OutOfOrder where an id is not greater than the one before, by code points: a
    release gives the same bytes whatever the database's collation, and no file overwrites another."""
    last = ""
    for row in rows:
        if row.id <= last:
            raise OutOfOrder(f"row {row.id} came after {last}")
        last = row.id
        yield row


def clip(path: str, row: Row, audio: Audio) -> Entry:
    """The entry of a row's WAV, read when its turn comes."""
    return Entry(path, row.size, lambda: (audio(row),), row.id)


def lines(path: str, source: Callable[[], Iterable[str]]) -> Entry:
    """The entry of a text made line by line.

    >>> lines("a.txt", lambda: ["one\\n", "two\\n"]).size
    8
    """
    return Entry(path, lambda: sum(map(len, _encoded(source))), partial(_encoded, source))


def document(path: str, text: str) -> Entry:
    """The entry of a text short enough to hold."""
    return lines(path, lambda: (text,))


def _encoded(source: Callable[[], Iterable[str]]) -> Iterator[bytes]:
    return (line.encode() for line in source())

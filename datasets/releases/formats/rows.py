"""A format's input, rows and their audio, and its output, the entries of an archive."""

import json
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

    `text` is the settled transcript in normal form; `label` is yes, similar, no or noise, and None for
    a transcription. `size` is the WAV's, in bytes: 44, and 2 for each sample. `soft` is the evidence of
    the verdict. Raises ValueError for an id that is not a safe file name, and for an unknown split or kind.
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
        """Pickle as a tuple of values, in a tenth of the time that a dataclass takes by default."""
        return Row, _values(self)

    @property
    def answer(self) -> str | None:
        return self.label if self.kind == WAKE_WORD else self.text


_values = attrgetter(*(field.name for field in fields(Row)))


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of an archive: a relative POSIX path, a size in bytes, and the bytes when they are needed.

    For a sound, `sound` is the id of its row, and its size is known in advance, so that a stream can skip it
    without reading it. A text is generated once if its size is needed, and again for its bytes.
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


# Called several times, and never kept in a list: a release can have 10 million rows. Each call gives the same
# rows, ordered by id.
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
    """The rows are not ordered by id, or an id occurs twice."""


def in_order(rows: Iterable[Row]) -> Iterator[Row]:
    """The same rows. Raises OutOfOrder if an id is not greater than the one before, by code points.

    So a release gives the same bytes under any collation of the database, and no file overwrites another.
    """
    last = ""
    for row in rows:
        if row.id <= last:
            raise OutOfOrder(f"row {row.id} came after {last}")
        last = row.id
        yield row


def as_json(value: Any) -> str:
    """On one line, with sorted keys, because PostgreSQL's JSON does not keep their order."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def clip(path: str, row: Row, audio: Audio) -> Entry:
    """The entry of a row's WAV, which is read when the entry is."""
    return Entry(path, row.size, lambda: (audio(row),), row.id)


def lines(path: str, source: Callable[[], Iterable[str]]) -> Entry:
    """The entry of a text that is generated line by line.

    >>> lines("a.txt", lambda: ["one\\n", "two\\n"]).size
    8
    """
    return Entry(path, lambda: sum(map(len, _encoded(source))), partial(_encoded, source))


def document(path: str, text: str) -> Entry:
    """The entry of a text that is short enough to keep in memory."""
    return lines(path, lambda: (text,))


def _encoded(source: Callable[[], Iterable[str]]) -> Iterator[bytes]:
    return (line.encode() for line in source())

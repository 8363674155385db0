"""DeepSpeech and Coqui STT: one CSV for each split, an alphabet, WAV clips.

The fields and limits are from https://deepspeech.readthedocs.io/en/latest/TRAINING.html and from its
importers: a transcript may have at most one character for each 20 ms of the clip, and a clip at most 10 s.
They leave out a transcript with digits, because digits do not say how they were read aloud.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from . import tables, transcripts
from .form import Document
from .parts import Clips, Part, Table
from .rows import SPLITS, Row
from .subsets import Subset
from .summary import Summary

NAME = "deepspeech"
BY_SPEAKER, PER_SPEAKER, SHARD_BYTES = False, False, 0

LAYOUT = """\
- `train.csv`, `dev.csv`, `test.csv`: `wav_filename` (relative to the CSV), `wav_filesize` in bytes,
  `transcript`. A split without clips has the header alone.
- `alphabet.txt`: every character of the transcripts, one a line, the space first.
- `clips/`: WAV, 16 kHz, mono, 16 bit.

A clip that was tagged as a wake word has the wake word as its transcript. A transcript with digits is left
out, as DeepSpeech's importers do. With several languages or wake words, each has a folder of its own with
all of these."""

TABLES = {
    "*.csv": (
        tables.Column("wav_filename", tables.TEXT, "The path of the sound."),
        tables.Column("wav_filesize", tables.INTEGER, "The size of the sound, in bytes."),
        tables.Column("transcript", tables.TEXT, "What is said, in normal form.", tables.ANNOTATORS),
    )
}

LONGEST = 10.0
STEPS_PER_SECOND = 50

_HEADER = ("wav_filename", "wav_filesize", "transcript")


def why_left_out(row: Row) -> str | None:
    """Why a row cannot be in this format, worded to follow a count ("12 longer than 10 s"), or None."""
    if reason := transcripts.why_unusable(row):
        return reason
    text = transcripts.spoken(row)
    if transcripts.has_numeral(text):
        return "a numeral"
    if row.seconds > LONGEST:
        return f"longer than {LONGEST:g} s"
    if int(row.seconds * STEPS_PER_SECOND) < len(text):
        return "too short for its transcript"
    return None


def parts(subsets: Sequence[Subset]) -> Sequence[Part]:
    csvs = Table(
        path=lambda place: f"{place.subset.folder}{place.split}.csv",
        content=_lines,
        head=_record(_HEADER),
        always=[f"{subset.folder}{split}.csv" for subset in subsets for split in sorted(SPLITS)],
    )
    return [csvs, Clips(lambda row: row.folder + _path(row))]


def documents(subsets: Sequence[Subset], summary: Summary) -> Iterator[Document]:
    for number, subset in enumerate(subsets):
        letters = summary.letters[number] | set(subset.wake_word) - {" "}
        yield f"{subset.folder}alphabet.txt", _alphabet(letters)


def _path(row: Row) -> str:
    return f"clips/{row.id}.wav"


def _alphabet(letters: Iterable[str]) -> str:
    return "\n".join(["# One character a line; the first is the space.", " ", *sorted(letters)]) + "\n"


def _lines(rows: Sequence[Row], before: str) -> Iterable[bytes]:
    return [_record((_path(row), row.size, transcripts.spoken(row))) for row in rows]


def _record(fields: Iterable[object]) -> bytes:
    record = io.StringIO()
    csv.writer(record, lineterminator="\n").writerow(fields)
    return record.getvalue().encode()

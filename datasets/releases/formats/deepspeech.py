"""DeepSpeech and Coqui STT: one CSV for each split, an alphabet, WAV clips.

The fields and limits are from https://deepspeech.readthedocs.io/en/latest/TRAINING.html and from its
importers: a transcript may have at most one character for each 20 ms of the clip, and a clip at most 10 s.
"""

import csv
import io
from collections.abc import Iterable, Iterator
from functools import lru_cache, partial

from datasets import normalise

from .rows import SPLITS, WAKE_WORD, Audio, Entry, Row, Rows, clip, document, lines

NAME = "deepspeech"

LAYOUT = """\
- `train.csv`, `dev.csv`, `test.csv`: `wav_filename` (relative to the CSV), `wav_filesize` in bytes,
  `transcript`. A split without clips has the header alone.
- `alphabet.txt`: every character of the transcripts, one a line, the space first.
- `clips/`: WAV, 16 kHz, mono, 16 bit.

A clip that was tagged as a wake word has the wake word as its transcript."""

LONGEST = 10.0
STEPS_PER_SECOND = 50

_HEADER = ("wav_filename", "wav_filesize", "transcript")


def why_left_out(row: Row) -> str | None:
    """Why a row cannot be in this format, worded to follow a count ("12 longer than 10 s"), or None."""
    if row.kind == WAKE_WORD and row.label != "yes":
        return "no transcript: a wake-word clip not answered yes"
    text = _transcript(row)
    if not text:
        return "nothing said"
    if normalise.UNCLEAR in text:
        return "partly unclear"
    if normalise.PRIVATE in text:
        return "partly silenced"
    if row.seconds > LONGEST:
        return f"longer than {LONGEST:g} s"
    if int(row.seconds * STEPS_PER_SECOND) < len(text):
        return "too short for its transcript"
    return None


def entries(rows: Rows, audio: Audio) -> Iterator[Entry]:
    """The alphabet, the three CSVs, then the clips in the order of the rows."""

    def kept() -> Iterator[Row]:
        return (row for row in rows() if why_left_out(row) is None)

    yield document("alphabet.txt", _alphabet(kept()))
    for split in sorted(SPLITS):
        yield lines(f"{split}.csv", partial(_table, kept, split))
    for row in kept():
        yield clip(_path(row), row, audio)


def _path(row: Row) -> str:
    return f"clips/{row.id}.wav"


def _transcript(row: Row) -> str:
    return _spoken(row.wake_word, row.language) if row.kind == WAKE_WORD else row.text


@lru_cache(maxsize=64)
def _spoken(wake_word: str, language: str) -> str:
    return normalise.text(wake_word, language)


def _alphabet(rows: Iterable[Row]) -> str:
    letters = set().union(*map(_transcript, rows)) - {" "}
    return "\n".join(["# One character a line; the first is the space.", " ", *sorted(letters)]) + "\n"


def _table(rows: Rows, split: str) -> Iterator[str]:
    yield _record(_HEADER)
    for row in rows():
        if row.split == split:
            yield _record((_path(row), row.size, _transcript(row)))


def _record(fields: Iterable[object]) -> str:
    record = io.StringIO()
    csv.writer(record, lineterminator="\n").writerow(fields)
    return record.getvalue()

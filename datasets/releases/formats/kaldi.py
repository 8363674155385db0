"""Kaldi: a data directory for each split, sorted as `LC_ALL=C sort` sorts.

The files are from https://kaldi-asr.org/doc/data_prep.html. An utterance's name begins with its speaker, so
that it sorts among those of the speaker. lhotse, ESPnet and others read the same.
"""

from collections.abc import Callable, Iterable, Sequence

from . import transcripts
from .form import Document
from .parts import Clips, Part, Table
from .rows import Row
from .subsets import Subset
from .summary import Summary

NAME = "kaldi"
BY_SPEAKER, PER_SPEAKER, SHARD_BYTES = True, False, 0

LAYOUT = """\
- `train/`, `dev/`, `test/`: data directories with `wav.scp`, `text`, `utt2spk`, `spk2utt` and `utt2lang`,
  sorted in the C locale. An utterance is named `SPEAKER-ID`.
- `clips/`: WAV, 16 kHz, mono, 16 bit. `wav.scp` names them from the folder that has all of these, so run
  your recipe there.

A clip that was tagged as a wake word has the wake word as its text. With several languages or wake words,
each has a folder of its own with all of these."""


def why_left_out(row: Row) -> str | None:
    """Why a row cannot be in this format, or None."""
    return transcripts.why_unusable(row)


def parts(subsets: Sequence[Subset]) -> Sequence[Part]:
    return [
        _table("text", transcripts.spoken, has_words=True),
        _table("utt2lang", lambda row: row.language or "und"),
        _table("utt2spk", lambda row: row.speaker),
        _table("wav.scp", _path),
        Table(
            path=lambda place: f"{place.subset.folder}{place.split}/spk2utt",
            content=_speakers,
            tail=lambda notes: b"\n",  # of the last speaker's line
            has_words=False,
        ),
        Clips(lambda row: row.folder + _path(row)),
    ]


def documents(subsets: Sequence[Subset], summary: Summary) -> Iterable[Document]:
    return ()


def _table(name: str, value: Callable[[Row], str], has_words: bool = False) -> Table:
    return Table(
        path=lambda place: f"{place.subset.folder}{place.split}/{name}",
        content=lambda rows, before: [f"{_utterance(row)} {value(row)}\n".encode() for row in rows],
        has_words=has_words,
    )


def _speakers(rows: Sequence[Row], before: str) -> Iterable[bytes]:
    """A line for each speaker, without its end, because the next rows may be of the same speaker."""
    for row in rows:
        if row.speaker != before:
            yield f"\n{row.speaker}".encode() if before else row.speaker.encode()
            before = row.speaker
        yield f" {_utterance(row)}".encode()


def _utterance(row: Row) -> str:
    return f"{row.speaker}-{row.id}"


def _path(row: Row) -> str:
    return f"clips/{row.id}.wav"

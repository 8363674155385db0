"""LJSpeech: for speech synthesis, a folder for each speaker with a table and WAV clips.

Only clips whose speakers agreed to speech synthesis: a voice that is made from theirs can say anything.
The files are from https://keithito.com/LJ-Speech-Dataset/
"""

from collections.abc import Iterable, Sequence

from . import transcripts
from .form import Document
from .parts import Clips, Part, Table
from .rows import Row
from .subsets import Subset
from .summary import Summary

NAME = "ljspeech"
# Besides that of the release: accounts.models.Purpose.SYNTHESIS.
PURPOSE = "synthesis"
BY_SPEAKER, PER_SPEAKER, SHARD_BYTES = True, True, 0

LAYOUT = """\
- `SPEAKER/metadata.csv`: a line for each clip with its id, its text and its text again as it is spoken,
  separated by `|`, without a header. Both are alike here: transcripts are in normal form.
- `SPEAKER/wavs/`: WAV, 16 kHz, mono, 16 bit. LJSpeech itself has 22.05 kHz: set your recipe's rate.

The format has no splits; `soft-labels.jsonl` has each speaker's. Only clips whose speakers agreed to speech
synthesis are here. With several languages or wake words, each has a folder of its own with all of these."""


def why_left_out(row: Row) -> str | None:
    """Why a row cannot be in this format, or None."""
    if not row.for_synthesis:
        return "no consent to speech synthesis"
    if reason := transcripts.why_unusable(row):
        return reason
    return "a numeral" if transcripts.has_numeral(transcripts.spoken(row)) else None


def parts(subsets: Sequence[Subset]) -> Sequence[Part]:
    return [
        Table(
            path=lambda place: f"{place.subset.folder}{place.speaker}/metadata.csv",
            content=lambda rows, before: [_line(row) for row in rows],
        ),
        Clips(lambda row: f"{row.folder}{row.speaker}/wavs/{row.id}.wav"),
    ]


def documents(subsets: Sequence[Subset], summary: Summary) -> Iterable[Document]:
    return ()


def _line(row: Row) -> bytes:
    text = transcripts.spoken(row)
    return f"{row.id}|{text}|{text}\n".encode()

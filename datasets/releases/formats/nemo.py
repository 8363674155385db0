"""NVIDIA NeMo: one manifest for each split, a JSON object a line, and WAV clips.

The fields are those that `nemo/collections/common/parts/preprocessing/manifest.py` reads, and `label` for its
classifiers. A path is relative to the manifest, and no file is named twice.
"""

from collections.abc import Iterable, Sequence

from . import tables, transcripts
from .form import Document
from .parts import Clips, Part, Table
from .rows import WAKE_WORD, Row, as_json
from .subsets import Subset
from .summary import Summary

NAME = "nemo"
BY_SPEAKER, PER_SPEAKER, SHARD_BYTES = False, False, 0

LAYOUT = """\
- `train_manifest.json`, `dev_manifest.json`, `test_manifest.json`: a JSON object a line with
  `audio_filepath` (relative to the manifest), `duration` in seconds, `text`, `lang`, `speaker`, and for a
  wake word `label`: `yes`, `similar`, `no` or `noise`.
- `clips/`: WAV, 16 kHz, mono, 16 bit.

The `text` of a clip that was answered `yes` is the wake word, that of other answers is empty. With several
languages or wake words, each has a folder of its own with all of these."""

TABLES = {
    "*_manifest.json": (
        tables.Column("audio_filepath", tables.TEXT, "The path of the sound."),
        tables.Column("duration", tables.NUMBER, "How long it is, in seconds."),
        tables.Column("text", tables.TEXT, "What is said, in normal form.", tables.ANNOTATORS),
        tables.Column("lang", tables.TEXT, "The language that was asked for (BCP 47)."),
        tables.Column("speaker", tables.TEXT, "Its speaker, under an id of this release alone."),
    )
}
KINDS = {"*_manifest.json": "jsonl"}


def why_left_out(row: Row) -> str | None:
    """Why a row cannot be in this format, or None."""
    return None if row.kind == WAKE_WORD else transcripts.why_partial(row.text)


def parts(subsets: Sequence[Subset]) -> Sequence[Part]:
    return [
        Table(
            path=lambda place: f"{place.subset.folder}{place.split}_manifest.json",
            content=lambda rows, before: [_line(row) for row in rows],
        ),
        Clips(lambda row: row.folder + _path(row)),
    ]


def documents(subsets: Sequence[Subset], summary: Summary) -> Iterable[Document]:
    return ()


def _path(row: Row) -> str:
    return f"clips/{row.id}.wav"


def _line(row: Row) -> bytes:
    fields = {
        "audio_filepath": _path(row),
        "duration": row.seconds,
        "text": transcripts.spoken(row),
        "lang": row.language,
        "speaker": row.speaker,
    }
    label = {"label": row.label} if row.kind == WAKE_WORD else {}
    return as_json(fields | label).encode() + b"\n"

"""Hugging Face audiofolder: a folder of clips for each split, with a table beside them.

The table is JSON Lines and not CSV, because `datasets` reads a CSV by guessing: a transcript "nan" is then
missing, and a split whose ids or transcripts are all digits does not fit the others.
See https://huggingface.co/docs/datasets/audio_dataset#audiofolder
"""

from collections.abc import Iterable, Sequence
from typing import Any

from . import hub, labels, tables
from .about import About
from .form import Document
from .parts import Clips, Part, Table
from .rows import Row, as_json
from .subsets import Subset
from .summary import Summary

NAME = "hf-audiofolder"
BY_SPEAKER, PER_SPEAKER, SHARD_BYTES = False, False, 0

LAYOUT = """\
- `data/train/`, `data/validation/`, `data/test/`: WAV, 16 kHz, mono, 16 bit, with a `metadata.jsonl` in
  each that has a line for each clip: `file_name`, `transcription` (of a clip answered `yes` the wake word),
  `label` (`yes`, `similar`, `no` or `noise`; empty for a transcription), `speaker`, `language` and others.

`datasets.load_dataset` takes the folder. With several languages or wake words, each has a folder of its own
with all of these, and is a configuration."""

TABLES = {
    "*metadata.jsonl": (
        tables.Column("file_name", tables.TEXT, "The file of the sound, in the same folder."),
        tables.Column("transcription", tables.TEXT, "What is said, in normal form.", tables.ANNOTATORS),
        *(column for column in labels.ALWAYS_KNOWN if column.name != "text"),
    )
}


def why_left_out(row: Row) -> str | None:
    """Why a row cannot be in this format: it takes all."""
    return None


def parts(subsets: Sequence[Subset]) -> Sequence[Part]:
    return [
        Table(
            path=lambda place: f"{place.subset.folder}{_folder(place.split)}metadata.jsonl",
            content=lambda rows, before: [_line(row) for row in rows],
        ),
        Clips(lambda row: f"{row.folder}{_folder(row.split)}{row.id}.wav"),
    ]


def documents(subsets: Sequence[Subset], summary: Summary) -> Iterable[Document]:
    return ()


def hub_configs(about: About, summary: Summary) -> list[dict[str, Any]]:
    """The `configs` of the card."""
    return hub.configs(about.subsets, "data")


def _folder(split: str) -> str:
    return f"data/{hub.SPLITS[split]}/"


def _line(row: Row) -> bytes:
    known = labels.always_known(row)
    named = {"file_name": f"{row.id}.wav", "transcription": known.pop("text")}
    return as_json(known | named).encode() + b"\n"

"""Utterances with their labels and no sound, for training on language: JSON Lines."""

from collections.abc import Iterable, Sequence

from . import labels
from .form import Document
from .parts import Part, Table
from .rows import Row, as_json
from .subsets import Subset
from .summary import Summary

NAME = "text"
BY_SPEAKER, PER_SPEAKER, SHARD_BYTES = False, False, 0

LAYOUT = """\
- `train.jsonl`, `dev.jsonl`, `test.jsonl`: a JSON object a line for each clip, with its `id`, `speaker`,
  `language`, `text` (of a clip answered `yes` the wake word), `label` (`yes`, `similar`, `no` or `noise`;
  null for a transcription), `confidence`, `seconds` and others.

There is no sound. With several languages or wake words, each has a folder of its own with all of these."""

TABLES = {"*.jsonl": labels.COLUMNS}
SOUNDS: Sequence[str] = ()


def why_left_out(row: Row) -> str | None:
    """Why a row cannot be in this format: it takes all."""
    return None


def parts(subsets: Sequence[Subset]) -> Sequence[Part]:
    return [
        Table(
            path=lambda place: f"{place.subset.folder}{place.split}.jsonl",
            content=lambda rows, before: [_line(row) for row in rows],
        )
    ]


def documents(subsets: Sequence[Subset], summary: Summary) -> Iterable[Document]:
    return ()


def _line(row: Row) -> bytes:
    return as_json(labels.fields(row)).encode() + b"\n"

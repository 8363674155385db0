"""Parquet without sound: the labels alone, small enough to be asked over HTTP, as DuckDB does."""

from collections.abc import Iterable, Sequence
from typing import Any

from . import hub, labels, parquet_columns
from .about import About
from .form import Document
from .layout import BLOCK_ROWS
from .parts import Part
from .rows import Row
from .subsets import Subset
from .summary import Summary

NAME = "parquet-labels"
# As counted by the sounds that it does not have: about a million clips a file.
BY_SPEAKER, PER_SPEAKER, SHARD_BYTES = False, False, 100_000_000_000

LAYOUT = """\
- `data/train-00000-of-00001.parquet`, `data/validation-...`, `data/test-...`: a row for each clip, without
  its sound. `text` is the transcript, of a clip answered `yes` the wake word; `label` is `yes`, `similar`,
  `no` or `noise`, or missing for a transcription; `soft` is the evidence as JSON.

DuckDB reads single columns of these files over HTTP. With several languages or wake words, each has a
folder of its own with all of these."""

TABLES = {"*.parquet": (*labels.COLUMNS, labels.SOFT)}
SOUNDS: Sequence[str] = ()

_COLUMNS = parquet_columns.LABELS


def why_left_out(row: Row) -> str | None:
    """Why a row cannot be in this format: it takes all."""
    return None


def parts(subsets: Sequence[Subset]) -> Sequence[Part]:
    return [parquet_columns.table(_COLUMNS, BLOCK_ROWS)]


def documents(subsets: Sequence[Subset], summary: Summary) -> Iterable[Document]:
    return ()


def hub_configs(about: About, summary: Summary) -> list[dict[str, Any]]:
    """The `configs` of the card."""
    return hub.configs(about.subsets, "data")


def dataset_info(about: About, summary: Summary) -> list[dict[str, Any]]:
    """The `dataset_info` of the card."""
    return parquet_columns.dataset_info(_COLUMNS, about.subsets)

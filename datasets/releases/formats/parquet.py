"""Parquet with the sound inside, as the Hugging Face hub shows and `datasets` loads it without a script.

See https://huggingface.co/docs/hub/datasets-audio#parquet-format. A row group has 100 rows, so that a viewer
need not fetch many sounds to show some.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from . import hub, labels, parquet_columns
from .about import About
from .form import Document
from .parts import Part
from .rows import Row
from .subsets import Subset
from .summary import Summary

NAME = "parquet"
# Files stay below 500 MB with their texts, which are rarely a fifth of the sounds.
BY_SPEAKER, PER_SPEAKER, SHARD_BYTES = False, False, 400_000_000

GROUP_ROWS = 100

LAYOUT = """\
- `data/train-00000-of-00001.parquet`, `data/validation-...`, `data/test-...`: shards below 500 MB. `audio`
  is a struct of `bytes` (a WAV, 16 kHz, mono, 16 bit) and `path`; `text` is the transcript, of a clip
  answered `yes` the wake word; `label` is `yes`, `similar`, `no` or `noise`, or missing for a
  transcription; `soft` is the evidence as JSON.

`datasets.load_dataset` takes the folder, and decodes `audio`. With several languages or wake words, each
has a folder of its own with all of these, and is a configuration."""

TABLES = {"*.parquet": (*labels.COLUMNS, labels.SOFT)}
SOUNDS: Sequence[str] = ()  # inside the tables

_COLUMNS = [*parquet_columns.SOUND, *parquet_columns.LABELS]


def why_left_out(row: Row) -> str | None:
    """Why a row cannot be in this format: it takes all."""
    return None


def parts(subsets: Sequence[Subset]) -> Sequence[Part]:
    return [parquet_columns.table(_COLUMNS, GROUP_ROWS)]


def documents(subsets: Sequence[Subset], summary: Summary) -> Iterable[Document]:
    return ()


def hub_configs(about: About, summary: Summary) -> list[dict[str, Any]]:
    """The `configs` of the card."""
    return hub.configs(about.subsets, "data")


def dataset_info(about: About, summary: Summary) -> list[dict[str, Any]]:
    """The `dataset_info` of the card."""
    return parquet_columns.dataset_info(_COLUMNS, about.subsets)

"""WebDataset: tar shards, in each a sound and a JSON object side by side for every clip.

The rules are from https://webdataset.github.io/webdataset/: files of one sample follow each other, and their
names are alike up to the first dot.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from datasets.releases import tar

from . import hub, labels
from .about import About
from .form import Document
from .parts import Part, Place, Segment, SoundOf, Table
from .rows import Row, as_json
from .subsets import Subset
from .summary import Summary

NAME = "webdataset"
BY_SPEAKER, PER_SPEAKER, SHARD_BYTES = False, False, 1_000_000_000

LAYOUT = """\
- `data/train-0000.tar`, `data/validation-0000.tar`, `data/test-0000.tar` and on: shards of about 1 GB. Each
  clip is two files side by side: `ID.wav` (16 kHz, mono, 16 bit) and `ID.json` with its `text` (of a clip
  answered `yes` the wake word), `label` (`yes`, `similar`, `no` or `noise`; empty for a transcription),
  `speaker`, `seconds`, `language` and others.

Clips come in the order of their random ids. With several languages or wake words, each has a folder of its
own with all of these."""

SOUNDS: Sequence[str] = ()  # inside the shards


def why_left_out(row: Row) -> str | None:
    """Why a row cannot be in this format: it takes all."""
    return None


def parts(subsets: Sequence[Subset]) -> Sequence[Part]:
    return [Table(path=_path, content=_samples, tail=lambda notes: tar.END)]


def documents(subsets: Sequence[Subset], summary: Summary) -> Iterable[Document]:
    return ()


def hub_configs(about: About, summary: Summary) -> list[dict[str, Any]]:
    """The `configs` of the card."""
    return hub.configs(about.subsets, "data")


def _path(place: Place) -> str:
    return f"{place.subset.folder}data/{hub.SPLITS[place.split]}-{place.shard:04}.tar"


def _samples(rows: Sequence[Row], before: str) -> Iterator[Segment]:
    for row in rows:
        yield from tar.member(f"{row.id}.wav", SoundOf(row), row.size)
        known = as_json(labels.always_known(row)).encode()
        yield from tar.member(f"{row.id}.json", known, len(known))

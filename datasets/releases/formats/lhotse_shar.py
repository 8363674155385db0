"""Lhotse Shar: for each shard a list of cuts and a tar of their recordings, in the same order.

The cuts are plain JSON Lines: compressed, their size would say how well their words compress.
See https://lhotse.readthedocs.io/en/latest/datasets.html and `lhotse/shar/` for what its readers expect.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from datasets.releases import tar

from . import transcripts
from .form import Document
from .parts import Part, Place, Segment, SoundOf, Table
from .rows import WAKE_WORD, Row, as_json
from .subsets import Subset
from .summary import Summary

NAME = "lhotse-shar"
BY_SPEAKER, PER_SPEAKER, SHARD_BYTES = False, False, 250_000_000

RATE = 16_000  # samples a second

LAYOUT = """\
- `train/`, `dev/`, `test/`: a folder in Lhotse Shar format each, for `CutSet.from_shar(in_dir=...)`: shards
  of about 250 MB, `cuts.000000.jsonl` and `recording.000000.tar` (WAV, 16 kHz, mono, 16 bit) and on.

A cut is a whole clip with one supervision: `text`, `speaker`, `language`, and in `custom` the `label` of a
wake-word clip (`yes`, `similar`, `no` or `noise`). The `text` of a clip answered `yes` is the wake word,
that of other answers is empty. With several languages or wake words, each has a folder of its own with all
of these."""

SOUNDS: Sequence[str] = ()  # inside the shards


def why_left_out(row: Row) -> str | None:
    """Why a row cannot be in this format, or None."""
    return None if row.kind == WAKE_WORD else transcripts.why_partial(row.text)


def parts(subsets: Sequence[Subset]) -> Sequence[Part]:
    return [
        Table(
            path=lambda place: f"{_folder(place)}cuts.{place.shard:06}.jsonl",
            content=lambda rows, before: [as_json(_cut(row)).encode() + b"\n" for row in rows],
        ),
        Table(
            path=lambda place: f"{_folder(place)}recording.{place.shard:06}.tar",
            content=_recordings,
            tail=lambda notes: tar.END,
            has_words=False,
        ),
    ]


def documents(subsets: Sequence[Subset], summary: Summary) -> Iterable[Document]:
    return ()


def _folder(place: Place) -> str:
    return f"{place.subset.folder}{place.split}/"


def _recordings(rows: Sequence[Row], before: str) -> Iterator[Segment]:
    for row in rows:
        yield from tar.member(f"{row.id}.wav", SoundOf(row), row.size)
        manifest = as_json(_recording(row)).encode()
        yield from tar.member(f"{row.id}.json", manifest, len(manifest))


def _cut(row: Row) -> dict[str, Any]:
    whole = {"id": row.id, "start": 0, "duration": _recording(row)["duration"], "channel": 0}
    custom = {"confidence": row.confidence} | ({"label": row.label} if row.kind == WAKE_WORD else {})
    supervision = whole | {
        "recording_id": row.id,
        "text": transcripts.spoken(row),
        "language": row.language,
        "speaker": row.speaker,
        "custom": custom,
    }
    return whole | {"type": "MonoCut", "supervisions": [supervision], "recording": _recording(row)}


def _recording(row: Row) -> dict[str, Any]:
    """The manifest of a recording whose sound is in the tar beside it."""
    samples = round(row.seconds * RATE)
    return {
        "id": row.id,
        "sources": [{"type": "shar", "channels": [0], "source": ""}],
        "sampling_rate": RATE,
        "num_samples": samples,
        "duration": samples / RATE,
    }

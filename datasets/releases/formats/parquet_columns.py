"""The columns and files of the Parquet formats, and how the hub is told of them."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from . import hub, labels, parquet_file
from .parquet_file import Column, Group, Record, Type
from .parts import Place, Segment, SoundOf, Table
from .rows import Row, as_json
from .subsets import Subset

RATE = 16_000  # samples a second

_TEXTS = ("id", "speaker", "split", "kind", "language", "wake_word", "text")
_NUMBERS = ("snr", "clipping", "speech_share")

SOUND = [Column("audio.bytes"), Column("audio.path", is_text=True)]
LABELS = [
    *(Column(name, is_text=True) for name in _TEXTS),
    Column("label", is_text=True, may_be_none=True),
    Column("seconds", Type.DOUBLE),
    Column("confidence", Type.DOUBLE),
    Column("votes", Type.INT64),
    *(Column(name, is_text=True) for name in ("campaign", "licence", "source")),
    *(Column(name, Type.DOUBLE, may_be_none=True) for name in _NUMBERS),
    Column("soft", is_text=True),
]


def table(columns: Sequence[Column], group_rows: int) -> Table:
    """A file for each shard, with row groups of at most so many rows."""

    def groups(rows: Sequence[Row]) -> Iterator[list[Record]]:
        for start in range(0, len(rows), group_rows):
            yield [_record(row) for row in rows[start : start + group_rows]]

    def content(rows: Sequence[Row], before: str) -> Iterator[Segment]:
        for group in groups(rows):
            yield from parquet_file.row_group(columns, group)

    def note(rows: Sequence[Row]) -> list[Group]:
        return [parquet_file.measured(columns, group) for group in groups(rows)]

    def tail(notes: Sequence[list[Group]]) -> bytes:
        # Not sorted: `datasets` takes the order of the columns from here.
        described = {"huggingface": json.dumps({"info": {"features": _features(columns)}})}
        return parquet_file.footer(columns, [group for note in notes for group in note], described)

    return Table(path=_path, content=content, head=parquet_file.MAGIC, note=note, tail=tail)


def dataset_info(columns: Sequence[Column], subsets: Sequence[Subset]) -> list[dict[str, Any]]:
    """What the head of the card says of the columns of each configuration."""
    features = [
        {"name": name, "dtype": {"audio": {"sampling_rate": RATE}} if name == "audio" else feature["dtype"]}
        for name, feature in _features(columns).items()
    ]
    return [{"config_name": hub.config_name(subset), "features": features} for subset in subsets]


def _record(row: Row) -> Record:
    sound = {"audio.bytes": SoundOf(row), "audio.path": f"{row.id}.wav"}
    return sound | labels.fields(row) | {"soft": as_json(row.soft)}


def _features(columns: Sequence[Column]) -> dict[str, dict[str, Any]]:
    """The columns as `datasets` describes them."""
    names = {Type.BYTE_ARRAY: "string", Type.DOUBLE: "float64", Type.INT64: "int64"}
    audio = {"_type": "Audio", "sampling_rate": RATE}
    return {
        column.path[0]: audio if column in SOUND else {"_type": "Value", "dtype": names[column.type]}
        for column in columns
    }


def _path(place: Place) -> str:
    numbers = f"{place.shard:05}-of-{place.shards:05}"
    return f"{place.subset.folder}data/{hub.SPLITS[place.split]}-{numbers}.parquet"

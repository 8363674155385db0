"""Parquet files, written by hand so that their size is known before any sound is read.

Uncompressed and PLAIN, with one data page for each column of a row group. There are no dictionaries and no
statistics: the size of the one would depend on the words, and the other would repeat them.

The format is https://parquet.apache.org/docs/file-format/, and its structures are `parquet.thrift` of
https://github.com/apache/parquet-format. The numbers of their fields are given as they are there.
"""

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import groupby
from typing import NamedTuple

from .parts import Segment, SoundOf, size_of
from .thrift import i32, i32s, i64, nested, structure, structures, text, texts, varint

MAGIC = b"PAR1"

Value = bytes | str | int | float | SoundOf | None

# The values of one row by the names of their columns.
Record = Mapping[str, Value]


class Type(IntEnum):
    """Parquet's physical types, of those that are used here."""

    INT64 = 2
    DOUBLE = 5
    BYTE_ARRAY = 6


@dataclass(frozen=True)
class Column:
    """A column. The name of a field of a struct has a dot, and the fields of a struct follow each other.

    With `is_text` its bytes are UTF-8. With `may_be_none` a value may be missing.
    """

    name: str
    type: Type = Type.BYTE_ARRAY
    is_text: bool = False
    may_be_none: bool = False

    @property
    def path(self) -> list[str]:
        return self.name.split(".")


# Numbers of parquet.thrift.
_DATA_PAGE = 0  # PageType
_PLAIN, _RLE = 0, 3  # Encoding
_UNCOMPRESSED = 0  # CompressionCodec
_REQUIRED, _OPTIONAL = 0, 1  # FieldRepetitionType
_UTF8 = 0  # ConvertedType

_LENGTH = struct.Struct("<I")
_CODES = {Type.DOUBLE: "d", Type.INT64: "q"}


class Group(NamedTuple):
    """The rows of a row group, and the size of each column's page with its header, in bytes."""

    rows: int
    chunks: tuple[int, ...]


def row_group(columns: Sequence[Column], records: Sequence[Record]) -> Iterator[Segment]:
    """The bytes of one row group."""
    for column in columns:
        page = _page(column, [record[column.name] for record in records])
        yield _page_header(sum(map(size_of, page)), len(records))
        yield from page


def measured(columns: Sequence[Column], records: Sequence[Record]) -> Group:
    """What the footer says of the row group that `row_group` makes."""
    sizes = (_page_size(column, [record[column.name] for record in records]) for column in columns)
    return Group(len(records), tuple(len(_page_header(size, len(records))) + size for size in sizes))


def footer(columns: Sequence[Column], groups: Sequence[Group], metadata: Mapping[str, str]) -> bytes:
    """The end of a file that has these row groups after MAGIC; `metadata` is for its readers."""
    at, described = len(MAGIC), []
    for group in groups:
        described.append(_row_group(columns, group, at))
        at += sum(group.chunks)
    pairs = [structure((1, text(key)), (2, text(value))) for key, value in metadata.items()]
    file = structure(
        (1, i32(2)),  # version
        (2, structures(_schema(columns))),
        (3, i64(sum(group.rows for group in groups))),
        (4, structures(described)),
        (5, structures(pairs)),
        (6, text("tagger")),
    )
    return file + struct.pack("<I", len(file)) + MAGIC


def _page(column: Column, values: Sequence[Value]) -> list[Segment]:
    """A data page without its header: which values are there, and these."""
    levels = _levels([value is not None for value in values]) if column.may_be_none else b""
    present = [value for value in values if value is not None]
    if column.type != Type.BYTE_ARRAY:
        return [levels, struct.pack(f"<{len(present)}{_CODES[column.type]}", *present)]
    page: list[Segment] = [levels]
    for value in present:
        content = value.encode() if isinstance(value, str) else value
        assert isinstance(content, bytes | SoundOf)
        page += _LENGTH.pack(size_of(content)), content
    return page


def _page_size(column: Column, values: Sequence[Value]) -> int:
    """The same as of `_page`, in a quarter of the time for text."""
    levels = len(_levels([True] * len(values))) if column.may_be_none else 0
    present = [value for value in values if value is not None]
    if column.type != Type.BYTE_ARRAY:
        return levels + 8 * len(present)
    return levels + sum(_LENGTH.size + _bytes_of(value) for value in present)


def _bytes_of(value: Value) -> int:
    if isinstance(value, str):
        return len(value) if value.isascii() else len(value.encode())
    assert isinstance(value, bytes | SoundOf)
    return size_of(value)


def _levels(present: Sequence[bool]) -> bytes:
    """Definition levels as one bit-packed run: a bit for each value, the lowest first, in whole bytes."""
    size = -(-len(present) // 8)
    bits = sum(is_there << number for number, is_there in enumerate(present))
    run = varint(size << 1 | 1) + bits.to_bytes(size, "little")
    return struct.pack("<I", len(run)) + run


def _page_header(size: int, values: int) -> bytes:
    data_page = nested((1, i32(values)), (2, i32(_PLAIN)), (3, i32(_RLE)), (4, i32(_RLE)))
    return structure(
        (1, i32(_DATA_PAGE)),
        (2, i32(size)),
        (3, i32(size)),
        (5, data_page),
    )


def _schema(columns: Sequence[Column]) -> list[bytes]:
    """The tree of columns, depth first."""
    fields: list[bytes] = []
    children = 0
    for name, together in groupby(columns, lambda column: column.path[0]):
        inside = list(together)
        children += 1
        if len(inside[0].path) > 1:
            fields.append(structure((3, i32(_REQUIRED)), (4, text(name)), (5, i32(len(inside)))))
        fields.extend(map(_element, inside))
    return [structure((4, text("schema")), (5, i32(children))), *fields]


def _element(column: Column) -> bytes:
    fields = [
        (1, i32(column.type)),
        (3, i32(_OPTIONAL if column.may_be_none else _REQUIRED)),
        (4, text(column.path[-1])),
    ]
    # LogicalType is a union, in which STRING is an empty structure.
    string = [
        (6, i32(_UTF8)),
        (10, nested((1, nested()))),
    ]
    return structure(*fields, *(string if column.is_text else []))


def _row_group(columns: Sequence[Column], group: Group, at: int) -> bytes:
    chunks, start = [], at
    for column, size in zip(columns, group.chunks, strict=True):
        chunks.append(_chunk(column, group.rows, size, start))
        start += size
    return structure(
        (1, structures(chunks)),
        (2, i64(sum(group.chunks))),
        (3, i64(group.rows)),
    )


def _chunk(column: Column, rows: int, size: int, at: int) -> bytes:
    metadata = nested(
        (1, i32(column.type)),
        (2, i32s([_PLAIN, _RLE])),
        (3, texts(column.path)),
        (4, i32(_UNCOMPRESSED)),
        (5, i64(rows)),
        (6, i64(size)),  # uncompressed, with the header
        (7, i64(size)),  # compressed
        (9, i64(at)),  # where the page begins
    )
    return structure((2, i64(at)), (3, metadata))

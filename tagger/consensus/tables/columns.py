"""Columns of a CSV file as numbers: what a column says more than once is kept once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow import csv

from .blocks import BadTable, Block, blocks, ignore

Indices = NDArray[np.int32]
Pieces = list[pa.DictionaryArray]


@dataclass(frozen=True)
class Names:
    """Different texts, in order of first appearance."""

    values: pa.StringArray

    @cached_property
    def ranks(self) -> Indices:
        """The place of each by code points, which is the same whatever the order of the rows."""
        ranks = np.empty(len(self.values), np.int32)
        ranks[pc.array_sort_indices(self.values).to_numpy()] = np.arange(len(ranks), dtype=np.int32)
        return ranks

    def sorted(self) -> pa.StringArray:
        return self.values.take(pc.array_sort_indices(self.values))


@dataclass(frozen=True)
class Column:
    """Text as numbers: row r holds `names.values[indices[r]]`."""

    indices: Indices
    names: Names


@dataclass(frozen=True)
class Field:
    """A column to read. White space alone is as good as nothing."""

    name: str
    may_be_empty: bool = False


def read(path: Path, fields: Sequence[Field], progress: Callable[[int], object] = ignore) -> list[Column]:
    """These columns of a file, in this order; they may stand in any order there, with others between them.

    `progress` hears how many bytes were read. Memory: 4 bytes a value, each distinct text, and a few blocks.
    Raises BadTable with its line for what is not CSV, a column that is missing or there twice, a row with a
    field too few or too many, a value that is empty where it may not; for a file without rows; and OSError.
    """
    return [_unify(pieces) for pieces in _pieces(path, fields, progress)]


def _pieces(path: Path, fields: Sequence[Field], progress: Callable[[int], object]) -> list[Pieces]:
    """The columns as one piece of each block."""
    pieces: list[Pieces] = [[] for _ in fields]
    places: list[int] = []
    width = 0
    for block in blocks(path, progress):
        if not places:
            width, places, block = _header(block, fields)
        for field, piece, more in zip(fields, pieces, _parse(block, width, places), strict=True):
            if not field.may_be_empty:
                _refuse_empty(block, field, more)
            piece.append(more)
        _give_back()
    if not places:
        raise BadTable(f"{path} is empty: its first line has to name the columns {_names(fields)}")
    if not any(map(len, pieces[0])):
        raise BadTable(f"{path} has no rows below its header")
    return pieces


def _header(block: Block, fields: Sequence[Field]) -> tuple[int, list[int], Block]:
    """How many columns there are, where those of the fields stand, and the rows below."""
    block.check()
    rows = block.rows()
    if not rows.starts.size:
        raise BadTable(f"{block.file} is empty: its first line has to name the columns {_names(fields)}")
    end = int(rows.starts[1]) if rows.starts.size > 1 else len(block.data)
    head, below = block.split(end)
    width = int(rows.fields[0])
    names = [column[0].as_py() for column in _parse(head, width, range(width))]
    for field in fields:
        if names.count(field.name) != 1:
            fault = "twice the column" if field.name in names else "no column"
            raise head.refusal(int(rows.starts[0]), f"{fault} {field.name} (there are: {', '.join(names)})")
    return width, [names.index(field.name) for field in fields], below


def _parse(block: Block, width: int, places: Sequence[int]) -> list[pa.DictionaryArray]:
    """The columns at these places."""
    block.check()
    kind = pa.dictionary(pa.int32(), pa.string())
    if not block.data.strip(b"\r\n"):
        return [pa.array([], kind) for _ in places]
    wanted = [str(place) for place in places]
    try:
        table = csv.read_csv(
            pa.BufferReader(block.data),
            csv.ReadOptions(
                use_threads=False, block_size=len(block.data) + 1, column_names=list(map(str, range(width)))
            ),
            csv.ParseOptions(newlines_in_values=block.quotes.size > 0),
            csv.ConvertOptions(include_columns=wanted, column_types=dict.fromkeys(wanted, kind)),
        )
    except pa.ArrowInvalid as error:
        raise _what_is_wrong(block, width, str(error)) from None
    return [column.chunk(0) for column in table.columns]


def _what_is_wrong(block: Block, width: int, said: str) -> BadTable:
    # pyarrow names no line of the file, so the one block at hand is looked at again.
    rows = block.rows()
    uneven = np.flatnonzero(rows.fields != width)
    if not uneven.size:
        return block.refusal(0, f"cannot be read from here on: {said}")
    first = uneven[0]
    return block.refusal(
        int(rows.starts[first]), f"{rows.fields[first]} fields, not {width} as in the header"
    )


def _refuse_empty(block: Block, field: Field, column: pa.DictionaryArray) -> None:
    empty = pc.equal(pc.utf8_trim_whitespace(column.dictionary), "")
    if pc.any(empty).as_py():
        places = np.flatnonzero(empty.to_numpy(zero_copy_only=False)[column.indices.to_numpy()])
        raise block.refusal(int(block.rows().starts[places[0]]), f"the {field.name} is empty")


def _unify(pieces: Pieces) -> Column:
    """Pieces with a dictionary each as one column; they are let go on the way."""
    whole = pa.chunked_array(pieces).unify_dictionaries()
    pieces.clear()
    _give_back()
    indices = np.concatenate([piece.indices.to_numpy() for piece in whole.chunks])
    return Column(indices, Names(whole.chunk(whole.num_chunks - 1).dictionary))


def _names(fields: Sequence[Field]) -> str:
    return ",".join(field.name for field in fields)


def _give_back() -> None:
    """To the system, what is free: pyarrow and the C library would keep as much again for later."""
    pa.default_memory_pool().release_unused()
    pa.system_memory_pool().release_unused()

"""Columns of a CSV file as numbers; each distinct text is stored once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow import csv

from .blocks import BadTable, Block, blocks, no_progress

Indices = NDArray[np.int32]
Pieces = list[pa.DictionaryArray]


@dataclass(frozen=True)
class Lookalikes:
    """How many texts look like an earlier one, and two that look alike."""

    count: int
    example: list[str]


@dataclass(frozen=True)
class Names:
    """Distinct texts, in order of first appearance."""

    values: pa.StringArray

    @cached_property
    def ranks(self) -> Indices:
        """The place of each text in the order of code points, which does not depend on the order of rows."""
        ranks = np.empty(len(self.values), np.int32)
        ranks[pc.array_sort_indices(self.values).to_numpy()] = np.arange(len(ranks), dtype=np.int32)
        return ranks

    def sorted(self) -> pa.StringArray:
        """The texts in the order of code points."""
        return self.values.take(pc.array_sort_indices(self.values))

    def lookalikes(self) -> Lookalikes:
        """The texts that equal another one but for case, blanks or Unicode form: one name, typed twice?"""
        plain = pc.utf8_normalize(self.values, "NFC")
        plain = pc.utf8_trim_whitespace(pc.utf8_lower(pc.replace_substring_regex(plain, r"\s+", " ")))
        kinds = plain.dictionary_encode()
        extra = len(plain) - len(kinds.dictionary)
        if not extra:
            return Lookalikes(0, [])
        repeated = np.flatnonzero(np.bincount(kinds.indices.to_numpy()) > 1)
        example = self.values.filter(pc.equal(kinds.indices, int(repeated[0])))
        return Lookalikes(extra, example.to_pylist()[:2])


@dataclass(frozen=True)
class Column:
    """Text as numbers: row r holds `names.values[indices[r]]`."""

    indices: Indices
    names: Names


@dataclass(frozen=True)
class Field:
    """A column to read. A value of white space alone counts as empty."""

    name: str
    may_be_empty: bool = False


def read(
    path: Path, fields: Sequence[Field], progress: Callable[[int], object] = no_progress
) -> list[Column]:
    """The columns named by `fields`, in that order; the file may have them in any order, among others.

    `progress` is called with each number of bytes read. Memory: 4 bytes per value, each distinct text, and a
    few blocks. Raises BadTable, with the line, for text that is not CSV, a missing or repeated column, a row
    with too few or too many fields, and a forbidden empty value; also for a file without rows. And OSError.
    """
    return [_unify(pieces) for pieces in _pieces(path, fields, progress)]


def _pieces(path: Path, fields: Sequence[Field], progress: Callable[[int], object]) -> list[Pieces]:
    """The columns, each as one piece per block."""
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
        _release_memory()
    if not places:
        raise BadTable(f"{path} is empty: its first line must name the columns {_names(fields)}")
    if not any(map(len, pieces[0])):
        raise BadTable(f"{path} has no rows below its header")
    return pieces


def _header(block: Block, fields: Sequence[Field]) -> tuple[int, list[int], Block]:
    """How many columns there are, the places of the fields among them, and the rows below the header."""
    block.check()
    rows = block.rows()
    if not rows.starts.size:
        raise BadTable(f"{block.file} is empty: its first line must name the columns {_names(fields)}")
    end = int(rows.starts[1]) if rows.starts.size > 1 else len(block.data)
    head, below = block.split(end)
    width = int(rows.fields[0])
    names = [column[0].as_py() for column in _parse(head, width, range(width))]
    for field in fields:
        if names.count(field.name) != 1:
            fault = "repeated column" if field.name in names else "no column"
            raise head.error_at(int(rows.starts[0]), f"{fault} {field.name} (found: {', '.join(names)})")
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
        raise _fault_in(block, width, str(error)) from None
    return [column.chunk(0) for column in table.columns]


def _fault_in(block: Block, width: int, message: str) -> BadTable:
    # pyarrow does not name the line in the file, so this block is examined again.
    rows = block.rows()
    uneven = np.flatnonzero(rows.fields != width)
    if not uneven.size:
        return block.error_at(0, f"cannot be read from here on: {message}")
    first = uneven[0]
    return block.error_at(int(rows.starts[first]), f"{rows.fields[first]} fields, but the header has {width}")


def _refuse_empty(block: Block, field: Field, column: pa.DictionaryArray) -> None:
    empty = pc.equal(pc.utf8_trim_whitespace(column.dictionary), "")
    if pc.any(empty).as_py():
        places = np.flatnonzero(empty.to_numpy(zero_copy_only=False)[column.indices.to_numpy()])
        raise block.error_at(int(block.rows().starts[places[0]]), f"the {field.name} is empty")


def _unify(pieces: Pieces) -> Column:
    """One column from pieces that each have their own dictionary. The pieces are freed on the way."""
    whole = pa.chunked_array(pieces).unify_dictionaries()
    pieces.clear()
    _release_memory()
    indices = np.concatenate([piece.indices.to_numpy() for piece in whole.chunks])
    return Column(indices, Names(whole.chunk(whole.num_chunks - 1).dictionary))


def _names(fields: Sequence[Field]) -> str:
    return ",".join(field.name for field in fields)


def _release_memory() -> None:
    """Return free memory to the system; pyarrow and the C library would keep as much again."""
    pa.default_memory_pool().release_unused()
    pa.system_memory_pool().release_unused()

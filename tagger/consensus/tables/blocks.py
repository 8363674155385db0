"""A CSV file as blocks of whole rows, each of which knows its lines.

The grammar is RFC 4180 in UTF-8: a value that holds a comma, a quote or a line end stands in quotes, and a
quote inside it is doubled. A line ends in LF, CRLF or CR; a line with nothing on it is no row. A byte order
mark is passed over. Quotes elsewhere are refused: parsers read them differently, and a quote that swallows
rows in silence loses votes.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Positions = NDArray[np.intp]

# Bytes read at once. Also the most that one row can have: past it lies a quote that nobody closed.
BLOCK = 16_000_000

# Bytes read at first: the header's block is taken apart, which costs more than parsing it.
FIRST = 65_536

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
COMMA, QUOTE, NEWLINE, RETURN = b',"\n\r'

# What may stand before an opening and after a closing quote; a quote there is the other of a doubled one.
_ENDS = np.isin(np.arange(256), [COMMA, QUOTE, NEWLINE, RETURN])


class BadTable(ValueError):
    """A file that cannot be taken as it is: which one, the line, and what is wrong with it."""


@dataclass(frozen=True)
class Rows:
    """The rows of a block: where each begins, and how many fields it has."""

    starts: Positions
    fields: Positions


@dataclass(frozen=True)
class Block:
    """Whole rows, and the line of the file on which the first of them begins."""

    data: bytes
    line: int
    file: Path

    def check(self) -> None:
        """Raises BadTable for bytes that are not UTF-8 and for quotes out of place."""
        if not self.data.isascii():
            try:
                self.data.decode()
            except UnicodeDecodeError as error:
                raise self._not_utf8(error.start) from None
        if self.quotes.size:
            self._check_quotes()

    @cached_property
    def quotes(self) -> Positions:
        return _quotes(self.data)

    def rows(self) -> Rows:
        """The rows, empty lines left out. Costs more than parsing: for headers and for what went wrong."""
        ends = _outside(self.quotes, _line_ends(self.data))
        bounds = np.concatenate([[0], ends + 1, [len(self.data)]])
        starts, ends = bounds[:-1], bounds[1:]
        commas = _outside(self.quotes, _find(self.data, COMMA))
        fields = np.searchsorted(commas, ends) - np.searchsorted(commas, starts) + 1
        firsts = np.frombuffer(self.data + b"\n", np.uint8)[starts]
        filled = (firsts != NEWLINE) & (firsts != RETURN)
        return Rows(starts[filled], fields[filled])

    def split(self, position: int) -> tuple["Block", "Block"]:
        """The rows before a position and those from it on."""
        after = Block(self.data[position:], self.line_at(position), self.file)
        return Block(self.data[:position], self.line, self.file), after

    def line_at(self, position: int) -> int:
        return self.line + _lines(self.data, position)

    def refusal(self, position: int, reason: str) -> BadTable:
        return BadTable(f"{self.file}, line {self.line_at(position)}: {reason}")

    def _not_utf8(self, position: int) -> BadTable:
        start = 1 + max(self.data.rfind(end, 0, position) for end in (b"\n", b"\r"))
        found = f"byte {position - start + 1} of the line is 0x{self.data[position]:02X}"
        return self.refusal(position, f"{found}, which is not UTF-8 here: save the file as UTF-8")

    def _check_quotes(self) -> None:
        """Quotes open and close in turn, and each must stand where its turn wants it."""
        around = np.frombuffer(b"\n" + self.data + b"\n", np.uint8)  # around[p] comes before data[p]
        neighbours = self.quotes.copy()
        neighbours[1::2] += 2
        wrong = np.flatnonzero(~_ENDS[around[neighbours]])
        if wrong.size and wrong[0] % 2 == 0:
            place = int(self.quotes[wrong[0]])
            raise self.refusal(
                place, "a quote inside a value: put the whole value in quotes, and write the quote twice"
            )
        if wrong.size:
            place = int(self.quotes[wrong[0]])
            raise self.refusal(
                self._opening(int(wrong[0])),
                "the quote that opens here is not closed: "
                f"neither a comma nor a line end follows the next one, on line {self.line_at(place)}",
            )
        if self.quotes.size % 2:
            opening = self._opening(self.quotes.size - 1)
            raise self.refusal(opening, "the quote that opens here is never closed")

    def _opening(self, number: int) -> int:
        """Where the value opens that the quote of this number belongs to: past the doubled ones inside it."""
        opens = self.quotes[: number + 1 : 2]
        before = np.frombuffer(b"\n" + self.data, np.uint8)[opens]
        return int(opens[before != QUOTE][-1])


def ignore(count: int) -> None:
    """Progress that nobody wants to see."""


def blocks(path: Path, progress: Callable[[int], object] = ignore) -> Iterator[Block]:
    """The file in whole rows, about BLOCK bytes at once; `progress` hears how many bytes were read.

    Raises BadTable for a row that does not end, and OSError.
    """
    with path.open("rb") as file:
        line, rest = 1, file.read(len(BYTE_ORDER_MARK)).removeprefix(BYTE_ORDER_MARK)
        size = min(FIRST, BLOCK)
        while more := file.read(size):
            size = BLOCK
            progress(len(more))
            rest += more
            end = _end_of_rows(rest)
            block = Block(rest[:end], line, path)
            if end:
                yield block
            elif len(rest) > BLOCK:
                _refuse_endless(Block(rest, line, path))
            line, rest = block.line_at(end), rest[end:]
    if rest:
        yield Block(rest, line, path)


def _refuse_endless(block: Block) -> None:
    block.check()
    raise block.refusal(0, f"the row that begins here has more than {BLOCK} bytes")


def _end_of_rows(data: bytes) -> int:
    """Behind the last line end that is outside of quotes; 0 if there is none."""
    if (quotes := _quotes(data)).size:
        ends = _outside(quotes, _line_ends(data))
        ends = ends[ends < len(data) - 1] if data.endswith(b"\r") else ends
        return int(ends[-1]) + 1 if ends.size else 0
    # A CR at the very end may be half of a CRLF.
    return max(data.rfind(b"\n"), data.rfind(b"\r", 0, -1)) + 1


def _line_ends(data: bytes) -> Positions:
    """Each LF, and each CR that no LF follows."""
    newlines = _find(data, NEWLINE)
    if b"\r" not in data:
        return newlines
    returns = _find(data, RETURN)
    behind = np.frombuffer(data + b" ", np.uint8)[returns + 1]
    return np.sort(np.concatenate([newlines, returns[behind != NEWLINE]]))


def _lines(data: bytes, position: int) -> int:
    """How many lines end before a position."""
    return data.count(b"\n", 0, position) + data.count(b"\r", 0, position) - data.count(b"\r\n", 0, position)


def _quotes(data: bytes) -> Positions:
    return _find(data, QUOTE) if b'"' in data else np.empty(0, np.intp)


def _outside(quotes: Positions, positions: Positions) -> Positions:
    """Those of the positions that have every quote before them closed."""
    return positions[np.searchsorted(quotes, positions) % 2 == 0] if quotes.size else positions


def _find(data: bytes, byte: int) -> Positions:
    return np.flatnonzero(np.frombuffer(data, np.uint8) == byte)

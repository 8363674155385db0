"""A CSV file as blocks of whole rows, each with its line numbers.

The grammar is RFC 4180 in UTF-8: a value that contains a comma, a quote or a line end is quoted, and a quote
inside it is doubled. Lines end in LF, CRLF or CR; empty lines are skipped, and so is a byte order mark.
Quotes in other places are refused: parsers read them differently, and a quote that silently swallows rows
would lose votes.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Positions = NDArray[np.intp]

# Bytes read per block. Also the longest possible row: anything longer has an unclosed quote.
BLOCK = 16_000_000

# Bytes of the first block. It is small because finding the header costs more than parsing.
FIRST_BLOCK = 65_536

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
COMMA, QUOTE, NEWLINE, RETURN = b',"\n\r'

# The bytes allowed before an opening and after a closing quote; a quote there is half of a doubled one.
_ENDS = np.isin(np.arange(256), [COMMA, QUOTE, NEWLINE, RETURN])


class BadTable(ValueError):
    """A file with a fault; the message names the file, the line and the fault."""


@dataclass(frozen=True)
class Rows:
    """The rows of a block: the byte where each starts, and its number of fields."""

    starts: Positions
    fields: Positions


@dataclass(frozen=True)
class Block:
    """Whole rows, and the line of the file on which the first one starts."""

    data: bytes
    line: int
    file: Path

    def check(self) -> None:
        """Raises BadTable for bytes that are not UTF-8 and for misplaced quotes."""
        if not self.data.isascii():
            try:
                self.data.decode()
            except UnicodeDecodeError as error:
                raise self._not_utf8(error.start) from None
        if self.quotes.size:
            self._check_quotes()

    @cached_property
    def quotes(self) -> Positions:
        """The positions of all quotes."""
        return _quotes(self.data)

    def rows(self) -> Rows:
        """The rows, without empty lines. Slower than parsing: for headers and for finding faults."""
        ends = _outside(self.quotes, _line_ends(self.data))
        bounds = np.concatenate([[0], ends + 1, [len(self.data)]])
        starts, ends = bounds[:-1], bounds[1:]
        commas = _outside(self.quotes, _find(self.data, COMMA))
        fields = np.searchsorted(commas, ends) - np.searchsorted(commas, starts) + 1
        firsts = np.frombuffer(self.data + b"\n", np.uint8)[starts]
        filled = (firsts != NEWLINE) & (firsts != RETURN)
        return Rows(starts[filled], fields[filled])

    def split(self, position: int) -> tuple["Block", "Block"]:
        """The rows before a byte position, and those from it on."""
        after = Block(self.data[position:], self.line_at(position), self.file)
        return Block(self.data[:position], self.line, self.file), after

    def line_at(self, position: int) -> int:
        """The line of the file that holds the byte at `position` of the block."""
        return self.line + _lines(self.data, position)

    def error_at(self, position: int, reason: str) -> BadTable:
        """The error for a fault at a byte `position` of the block, to be raised."""
        return BadTable(f"{self.file}, line {self.line_at(position)}: {reason}")

    def _not_utf8(self, position: int) -> BadTable:
        start = 1 + max(self.data.rfind(end, 0, position) for end in (b"\n", b"\r"))
        found = f"byte {position - start + 1} of the line is 0x{self.data[position]:02X}"
        return self.error_at(position, f"{found}, which is not valid UTF-8: save the file as UTF-8")

    def _check_quotes(self) -> None:
        """Quotes open and close in turn; each must be where an opening or a closing quote is allowed."""
        around = np.frombuffer(b"\n" + self.data + b"\n", np.uint8)  # around[p] comes before data[p]
        neighbours = self.quotes.copy()
        neighbours[1::2] += 2
        wrong = np.flatnonzero(~_ENDS[around[neighbours]])
        if wrong.size and wrong[0] % 2 == 0:
            place = int(self.quotes[wrong[0]])
            raise self.error_at(
                place, "a quote inside a value: quote the whole value, and double the quote inside it"
            )
        if wrong.size:
            place = int(self.quotes[wrong[0]])
            raise self.error_at(
                self._opening(int(wrong[0])),
                "the quote that opens here is not closed: "
                f"neither a comma nor a line end follows the next quote, on line {self.line_at(place)}",
            )
        if self.quotes.size % 2:
            opening = self._opening(self.quotes.size - 1)
            raise self.error_at(opening, "the quote that opens here is never closed")

    def _opening(self, number: int) -> int:
        """The byte of the opening quote of the value that quote `number` is in, past the doubled quotes."""
        opens = self.quotes[: number + 1 : 2]
        before = np.frombuffer(b"\n" + self.data, np.uint8)[opens]
        return int(opens[before != QUOTE][-1])


def no_progress(count: int) -> None:
    """The default of `progress`: shows nothing."""


def blocks(path: Path, progress: Callable[[int], object] = no_progress) -> Iterator[Block]:
    """The file in whole rows, about BLOCK bytes each; `progress` is called with each number of bytes read.

    Raises BadTable for a row longer than BLOCK, and OSError.
    """
    with path.open("rb") as file:
        line, rest = 1, file.read(len(BYTE_ORDER_MARK)).removeprefix(BYTE_ORDER_MARK)
        size = min(FIRST_BLOCK, BLOCK)
        while more := file.read(size):
            size = BLOCK
            progress(len(more))
            rest += more
            end = _end_of_rows(rest)
            block = Block(rest[:end], line, path)
            if end:
                yield block
            elif len(rest) > BLOCK:
                _refuse_endless_row(Block(rest, line, path))
            line, rest = block.line_at(end), rest[end:]
    if rest:
        yield Block(rest, line, path)


def _refuse_endless_row(block: Block) -> None:
    block.check()
    raise block.error_at(0, f"the row that starts here is longer than {BLOCK} bytes")


def _end_of_rows(data: bytes) -> int:
    """The position after the last line end outside quotes; 0 if there is none."""
    if (quotes := _quotes(data)).size:
        ends = _outside(quotes, _line_ends(data))
        ends = ends[ends < len(data) - 1] if data.endswith(b"\r") else ends
        return int(ends[-1]) + 1 if ends.size else 0
    # A CR at the end of the data may be half of a CRLF.
    return max(data.rfind(b"\n"), data.rfind(b"\r", 0, -1)) + 1


def _line_ends(data: bytes) -> Positions:
    """The positions of each LF, and of each CR without an LF after it."""
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
    """Those of the positions that are outside quotes."""
    return positions[np.searchsorted(quotes, positions) % 2 == 0] if quotes.size else positions


def _find(data: bytes, byte: int) -> Positions:
    return np.flatnonzero(np.frombuffer(data, np.uint8) == byte)

"""How strongly each cell of a table is coloured: in few levels, so that words keep their contrast."""

from collections.abc import Sequence
from math import ceil

LEVELS = 6  # static/css/charts.css has a class for each, and for 0


def levels(rows: Sequence[Sequence[float | None]], end: float | None = None) -> list[list[int | None]]:
    """0 for nothing, then 1 to LEVELS in equal parts up to `end`, by default the largest value.

    >>> levels([[0, 1, 30], [31, 60, None]])
    [[0, 1, 3], [4, 6, None]]
    """
    known = [value for row in rows for value in row if value is not None]
    if any(value < 0 for value in known):
        raise ValueError("a heat map begins at zero, so no value is below it")
    full = end if end is not None else max(known, default=0)
    return [[None if value is None else _level(value, full) for value in row] for row in rows]


def _level(value: float, full: float) -> int:
    # Rounded, as 0.7 / 0.1 is a little more than seven for a computer.
    return min(LEVELS, ceil(round(LEVELS * value / full, 9))) if value and full else 0

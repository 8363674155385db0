"""Lines over evenly spaced points, such as months, each with the band of its interval.

Places are in percent from the upper left corner, so that a drawing fits any width.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import ceil

from .scales import Scale, nice

MOST = 3  # more lines cannot be told apart by dashes and markers
MOST_LABELS = 7
Value = float | None
Point = tuple[float, float]


@dataclass(frozen=True)
class Series:
    """One line's values, None where there is none; with `lows` and `highs` of its interval, or without."""

    values: Sequence[Value]
    lows: Sequence[Value] = ()
    highs: Sequence[Value] = ()


@dataclass(frozen=True)
class Line:
    """Where values are missing, a line and its band are in several pieces."""

    pieces: tuple[tuple[Point, ...], ...]
    bands: tuple[tuple[Point, ...], ...]

    @property
    def points(self) -> list[Point]:
        return [point for piece in self.pieces for point in piece]


@dataclass(frozen=True)
class Label:
    """Which point is named below the drawing, where, and whether it may be left out on narrow screens."""

    index: int
    x: float
    anchor: str
    is_minor: bool


@dataclass(frozen=True)
class LinePlot:
    scale: Scale
    lines: tuple[Line, ...]
    labels: tuple[Label, ...]


def line_plot(
    series: Sequence[Series],
    *,
    low: float | None = None,
    high: float | None = None,
    mirrored: bool = False,
) -> LinePlot:
    """The axis holds all values, and `low` and `high` if they are given.

    >>> plot = line_plot([Series([0, None, 5, 10])])
    >>> plot.lines[0].pieces
    (((0.0, 100.0),), ((66.67, 50.0), (100.0, 0.0)))
    """
    if not 1 <= len(series) <= MOST:
        raise ValueError(f"a drawing has one to {MOST} lines")
    number = len(series[0].values)
    if any(len(each) not in (number, 0) for one in series for each in (one.values, one.lows, one.highs)):
        raise ValueError("all lines of a drawing have the same points")
    scale = _scale(series, low, high)
    xs = _places(number, mirrored)
    return LinePlot(scale, tuple(_line(each, xs, scale) for each in series), tuple(_labels(xs)))


def _scale(series: Sequence[Series], low: float | None, high: float | None) -> Scale:
    lists = [each for one in series for each in (one.values, one.lows, one.highs)]
    reached = [each for values in lists for each in values if each is not None]
    reached += [each for each in (low, high) if each is not None]
    return nice(min(reached, default=0), max(reached, default=1))


def _places(number: int, mirrored: bool) -> list[float]:
    """A single point lies in the middle."""
    xs = [round(100 * each / (number - 1), 2) for each in range(number)] if number > 1 else [50.0] * number
    return [round(100 - x, 2) for x in xs] if mirrored else xs


def _line(one: Series, xs: Sequence[float], scale: Scale) -> Line:
    def y(value: float) -> float:
        return round(100 - scale.place(value), 2)

    pieces = [
        tuple((xs[at], y(value)) for at, (value,) in piece if value is not None)
        for piece in _unbroken([one.values])
    ]
    bands = []
    for piece in _unbroken([one.lows, one.highs]) if one.lows and one.highs else ():
        above = [(xs[at], y(high)) for at, (_, high) in piece if high is not None]
        below = [(xs[at], y(low)) for at, (low, _) in piece if low is not None]
        bands.append((*above, *reversed(below)))
    return Line(tuple(pieces), tuple(bands))


def _unbroken(columns: Sequence[Sequence[Value]]) -> Iterator[list[tuple[int, tuple[Value, ...]]]]:
    """Runs of points at which no column misses its value, each point with its number."""
    rows: Iterable[tuple[int, tuple[Value, ...]]] = enumerate(zip(*columns, strict=True))
    for is_whole, run in groupby(rows, key=lambda row: None not in row[1]):
        if is_whole:
            yield list(run)


def _labels(xs: Sequence[float]) -> Iterator[Label]:
    step = max(1, ceil((len(xs) - 1) / (MOST_LABELS - 1)))
    for place, index in enumerate(range(0, len(xs), step)):
        is_first, is_last = index == 0, index == len(xs) - 1
        anchor = "middle" if is_first == is_last else "start" if is_first else "end"
        yield Label(index, xs[index], anchor, place % 2 == 1)

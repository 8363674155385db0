"""How often values lie between edges."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from .scales import Scale, nice


@dataclass(frozen=True)
class Bin:
    """In percent, from the upper left corner."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Tick:
    value: float
    x: float
    anchor: str
    is_minor: bool


@dataclass(frozen=True)
class Histogram:
    scale: Scale
    bins: tuple[Bin, ...]
    ticks: tuple[Tick, ...]
    decimals: int  # enough to write every tick
    mark: float | None


def histogram(
    edges: Sequence[float], counts: Sequence[float], *, mark: float | None = None, mirrored: bool = False
) -> Histogram:
    """A bar for each count, between two edges; `mark` is a value to be shown as a line across.

    >>> histogram([0, 1, 2], [3, 6]).bins
    (Bin(x=0.0, y=50.0, width=50.0, height=50.0), Bin(x=50.0, y=0.0, width=50.0, height=100.0))
    """
    if len(edges) != len(counts) + 1 or not counts or list(edges) != sorted(set(edges)):
        raise ValueError("a histogram has ascending edges, one more than counts")
    first, last = edges[0], edges[-1]
    scale = nice(0, max(counts) or 1)

    def x(value: float) -> float:
        place = 100 * (value - first) / (last - first)
        return round(100 - place if mirrored else place, 2)

    bins = []
    for left, right, number in zip(edges, edges[1:], counts, strict=False):
        height = scale.place(number)
        ends = sorted((x(left), x(right)))
        bins.append(Bin(ends[0], round(100 - height, 2), round(ends[1] - ends[0], 2), height))
    below = nice(first, last, most=7)
    within = [each for each in below.ticks if first <= each <= last]
    ticks = tuple(
        Tick(value, x(value), _anchor(value, first, last), place % 2 == 1)
        for place, value in enumerate(within)
    )
    return Histogram(scale, tuple(bins), ticks, below.decimals, None if mark is None else x(mark))


def count_between(values: Sequence[float], edges: Sequence[float]) -> list[int]:
    """How many values lie in each bin. A bin has its lower edge, the last one also its upper.

    >>> count_between([0, 0.5, 1, 1.5, 2, 7], [0, 1, 2])
    [2, 3]
    """
    counts = [0] * (len(edges) - 1)
    for value in values:
        if edges[0] <= value <= edges[-1]:
            counts[min(bisect_right(edges, value), len(counts)) - 1] += 1
    return counts


def _anchor(value: float, first: float, last: float) -> str:
    return "start" if value == first else "end" if value == last else "middle"

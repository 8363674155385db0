"""Bars beside their labels, one below the other, each with an interval if there is one."""

from collections.abc import Sequence
from dataclasses import dataclass

from .scales import nice

Interval = tuple[float, float] | None


@dataclass(frozen=True)
class Bar:
    """All in percent of the full width: where the bar begins, its width, and both ends of its interval."""

    x: float
    width: float
    interval: Interval = None


def bars(
    values: Sequence[float],
    intervals: Sequence[Interval] = (),
    *,
    end: float | None = None,
    mirrored: bool = False,
) -> list[Bar]:
    """Bars from zero; `end` is the value of a full one, by default a round number above all of them.

    >>> bars([30, 12], end=60)
    [Bar(x=0, width=50.0, interval=None), Bar(x=0, width=20.0, interval=None)]
    >>> bars([30], [(24, 45)], end=60, mirrored=True)  # from right to left
    [Bar(x=50.0, width=50.0, interval=(60.0, 25.0))]
    """
    given: Sequence[Interval] = intervals or [None] * len(values)
    reached = [*values, *(each for ends in given if ends for each in ends)]
    if any(each < 0 for each in reached):
        raise ValueError("bars begin at zero, so no value is below it")
    scale = nice(0, end if end is not None else max(reached, default=0) or 1)
    full = end or scale.ticks[-1]
    drawn = []
    for value, ends in zip(values, given, strict=True):
        width = _percent(value, full)
        places = (_percent(ends[0], full), _percent(ends[1], full)) if ends else None
        if mirrored:
            places = (round(100 - places[0], 2), round(100 - places[1], 2)) if places else None
        drawn.append(Bar(round(100 - width, 2) if mirrored else 0, width, places))
    return drawn


def _percent(value: float, full: float) -> float:
    return round(min(100.0, 100 * value / full), 2)

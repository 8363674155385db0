"""Axes of charts: round numbers that hold all values, and where a value lies between them."""

from dataclasses import dataclass
from decimal import Decimal
from itertools import count
from math import ceil, floor

_ROUND = (Decimal(1), Decimal(2), Decimal("2.5"), Decimal(5))


@dataclass(frozen=True)
class Scale:
    """An axis from its first tick to its last; `decimals` are enough to write every tick."""

    ticks: tuple[float, ...]
    decimals: int

    def place(self, value: float) -> float:
        """How far along the axis a value lies, in percent.

        >>> nice(0, 50).place(20)
        40.0
        """
        low, high = self.ticks[0], self.ticks[-1]
        return round(100 * (value - low) / (high - low), 2)


def nice(low: float, high: float, most: int = 6) -> Scale:
    """The axis with the smallest round step that holds both ends in at most `most` ticks (three or more).

    A step is 1, 2, 2.5 or 5 times a power of ten.

    >>> nice(0, 97).ticks
    (0.0, 20.0, 40.0, 60.0, 80.0, 100.0)
    >>> nice(0.62, 0.88)
    Scale(ticks=(0.6, 0.7, 0.8, 0.9), decimals=1)
    >>> nice(3, 3).ticks  # a single value lies in the middle
    (2.0, 2.5, 3.0, 3.5, 4.0)
    """
    if low > high or most < 3:
        raise ValueError("an axis runs from the lower to the higher end, with three ticks or more")
    if low == high:
        low, high = (low - 1, high + 1) if low else (0, 1)
    start, end = Decimal(str(low)), Decimal(str(high))
    smallest = ((end - start) / (most - 1)).adjusted()
    for exponent in count(smallest):
        for each in _ROUND:
            step = each.scaleb(exponent)
            first, last = floor(start / step), ceil(end / step)
            if last - first < most:
                ticks = tuple(float(step * number) for number in range(first, last + 1))
                return Scale(ticks, max(0, -int(step.normalize().as_tuple().exponent)))
    raise AssertionError("steps grow until one is large enough")

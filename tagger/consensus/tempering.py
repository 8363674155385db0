"""How sure a crowd's labels should be, learned from tasks whose class is known.

A posterior that is too sure, or not sure enough, is mended by a power: p^b, normalised. One number keeps the
order of the classes, so no label changes. C. Guo, G. Pleiss, Y. Sun and K. Q. Weinberger, On calibration of
modern neural networks (2017), arXiv:1706.04599, call 1 / b the temperature.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq, minimize_scalar

from .ballots import Floats, Integers, softmax

# The scale of the Laplace prior of ln b: without known tasks nothing is mended.
SCALE = 0.25
# Bounds of ln b, and of a probability before its logarithm is taken.
MOST, LEAST_PROBABILITY = 2.0, 1e-6
# How much less likely, in nats, an end of the interval is than the best power: half the 95 % point of the
# chi-squared distribution with one degree of freedom (S. S. Wilks, The large-sample distribution of the
# likelihood ratio for testing composite hypotheses, 1938, doi:10.1214/aoms/1177732360).
DROP = 1.92


class Power(NamedTuple):
    """The power, and the interval from `low` to `high` that holds the right one in 95 % of cases.

    The interval is that of the known tasks alone, so without any it is all that is possible.
    """

    value: float
    low: float
    high: float


def learn(posterior: Floats, known: Integers) -> Power:
    """The power under which the classes that are known (tasks,) are likeliest, given `posterior` (tasks,
    classes) of the same tasks.

    >>> learn(np.empty((0, 2)), np.empty(0, int)).value
    1.0
    """
    scores = np.log(np.maximum(posterior, LEAST_PROBABILITY))
    rows = np.arange(len(known))

    def misfit(log_power: float) -> float:
        likely = softmax(scores * np.exp(log_power))[rows, known]
        return float(-np.log(np.maximum(likely, LEAST_PROBABILITY)).sum())

    def cost(log_power: float) -> float:
        return misfit(log_power) + abs(log_power) / SCALE

    # The prior has its peak, and what is minimised a corner, at 0.
    best = min(0.0, _lowest(cost), key=cost)
    likeliest = _lowest(misfit)

    def above(log_power: float) -> float:
        return misfit(log_power) - misfit(likeliest) - DROP

    low, high = (end if above(end) <= 0 else brentq(above, likeliest, end) for end in (-MOST, MOST))
    ends = best, min(low, best), max(high, best)
    return Power(*(round(float(np.exp(each)), 4) for each in ends))


def _lowest(cost: Callable[[float], float]) -> float:
    found = minimize_scalar(cost, bounds=(-MOST, MOST), method="bounded", options={"xatol": 1e-6})
    return float(found.x)


def tempered(posterior: Floats, power: float) -> Floats:
    """The posterior (tasks, classes) to this power, normalised.

    >>> tempered(np.array([[0.8, 0.2]]), 2.0).round(3).tolist()
    [[0.941, 0.059]]
    """
    return softmax(power * np.log(np.maximum(posterior, LEAST_PROBABILITY)))

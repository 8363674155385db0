"""Noise for counts of people, so that no published count says whether one person is in it. Pure.

The mechanism is the discrete Laplace distribution of Ghosh, Roughgarden and Sundararajan, "Universally
utility-maximizing privacy mechanisms", STOC 2009, sampled exactly, with integers alone, as in Canonne, Kamath
and Steinke, "The discrete Gaussian for differential privacy", NeurIPS 2020 (algorithm 1): noise made from
floating-point numbers leaks what it should hide (Mironov, CCS 2012).

Proof. P(noise = n) = c exp(-g |n|). If one person changes a count by d at most, then |n| for any published
number changes by d at most, so its probabilities with and without that person differ by a factor of exp(g d)
at most. So with g = epsilon / d the count is epsilon-differentially private. What is computed from it later,
such as cutting it off at 0, is as well; and several counts together are for the sum of their epsilons.

It is for counts alone. Nothing of the kind can be said of a voice.
"""

import secrets
from collections.abc import Callable
from fractions import Fraction

# A random whole number from 0 up to, but not including, this one.
Below = Callable[[int], int]


def noisy(count: int, epsilon: Fraction, change: int = 1, below: Below = secrets.randbelow) -> int:
    """The count with noise, at least 0. One person changes the true count by `change` at most.

    Raises ValueError unless epsilon is above 0, and at most `change`.

    >>> noisy(100, Fraction(1), below=lambda most: most - 1)
    100
    """
    decay = epsilon / change
    if not 0 < decay <= 1:
        raise ValueError(f"epsilon is {epsilon}: it must be above 0 and at most {change}")
    # The difference of two geometric numbers is distributed as exp(-decay |n|).
    return max(count + _geometric(decay, below) - _geometric(decay, below), 0)


def _geometric(decay: Fraction, below: Below) -> int:
    """How often in a row something of probability exp(-decay) happens."""
    found = 0
    while _happens_exp(decay, below):
        found += 1
    return found


def _happens_exp(decay: Fraction, below: Below) -> bool:
    """With probability exp(-decay), for a decay from 0 to 1: by von Neumann's series."""
    terms = 1
    while _happens(decay / terms, below):
        terms += 1
    return terms % 2 == 1


def _happens(chance: Fraction, below: Below) -> bool:
    return below(chance.denominator) < chance.numerator

"""How far the annotators of one set agree with each other: alpha, and the share of agreeing answers.

Alpha is Krippendorff's for nominal data: 1 - observed / expected disagreement, so that 1 is perfect and 0 is
what answers drawn at random from all that were given would reach. K. Krippendorff, Computing Krippendorff's
Alpha-Reliability (2011), https://repository.upenn.edu/asc_papers/43; A. F. Hayes and K. Krippendorff,
Answering the call for a standard reliability measure for coding data (2007), doi:10.1080/19312450709336664.
Each task may have another number of answers, by other people; one with a single answer is left out.

Every figure is a ratio of sums over tasks, so each has an interval by the bootstrap: tasks are drawn anew,
with replacement, and the middle 95 % of the outcomes are told. B. Efron, Bootstrap methods: another look at
the jackknife (1979), doi:10.1214/aos/1176344552. Whole tasks are drawn: the answers to one go together.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein

Floats = NDArray[np.floating]
Integers = NDArray[np.integer]

# From sums (sets, parts) to one number a set.
RatioOfSums = Callable[[Floats], Floats]

RESAMPLES = 1000
MIDDLE = (2.5, 97.5)  # percent

# Cells of the resamples that are held at once.
CELLS = 4_000_000


@dataclass(frozen=True)
class Figure:
    """A value and its 95 % interval; None where the answers do not define it."""

    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Agreement:
    """`alpha` of a set of labels, the share of `agreeing` answers, and the `tasks` with two answers or more.

    `agreeing`: the probability that an answer, drawn from all of them, is also that of another annotator of
    the same task. Alpha is undefined while all answers are the same one.
    """

    alpha: Figure
    agreeing: Figure
    tasks: int


@dataclass(frozen=True)
class WordAgreement:
    """The share of `agreeing` words in a set of transcripts, and the `tasks` with two transcripts or more."""

    agreeing: Figure
    tasks: int


def of_labels(counts: Integers, resamples: int = RESAMPLES, seed: int = 0) -> Agreement:
    """Agreement from how many annotators gave each task each label: counts (tasks, classes).

    The same counts come to the same figures, whatever the order of the tasks.

    >>> of_labels(np.array([[2, 0], [2, 0], [0, 2], [1, 1]])).agreeing.value
    0.75
    """
    pairable = np.asarray(counts)[np.asarray(counts).sum(1) >= 2]
    patterns, times = _patterns(pairable)
    sums = np.column_stack([_agreeing_answers(patterns), patterns])
    return Agreement(
        alpha=_figure(sums, times, _alphas, resamples, seed),
        agreeing=_figure(sums, times, _shares, resamples, seed),
        tasks=len(pairable),
    )


def of_transcripts(
    tasks: Sequence[Sequence[Sequence[str]]], resamples: int = RESAMPLES, seed: int = 0
) -> WordAgreement:
    """Agreement of transcripts: for each task the words of each transcript, in normal form.

    Of two transcripts the words agree that are left when those are taken away which have to be put in, left
    out or changed (Levenshtein), as a share of the longer one. Each transcript counts by its words: the pairs
    of a task are weighed as those of labels are. Undefined while nobody wrote a word.

    >>> of_transcripts([[["play", "the", "song"], ["play", "a", "song"]]]).agreeing.value
    0.6666666666666666
    """
    pairable = [task for task in tasks if len(task) >= 2]
    sums = np.array([_agreeing_words(task) for task in pairable]).reshape(-1, 2)
    patterns, times = np.unique(sums, axis=0, return_counts=True)
    return WordAgreement(_figure(patterns, times, _shares, resamples, seed), len(pairable))


def _agreeing_answers(counts: Integers) -> Floats:
    """Of each task's answers those that another annotator's confirms: the diagonal of its coincidences."""
    number = counts.sum(1)
    return np.asarray((counts * (counts - 1)).sum(1) / (number - 1))


def _agreeing_words(task: Sequence[Sequence[str]]) -> tuple[float, float]:
    """How many words agree, and of how many; a pair's weight is such that each transcript counts once."""
    agreeing = words = 0
    for one, other in combinations(task, 2):
        longer = max(len(one), len(other))
        agreeing += longer - Levenshtein.distance(one, other)
        words += longer
    weight = 2 / (len(task) - 1)
    return agreeing * weight, words * weight


def _shares(sums: Floats) -> Floats:
    """The first sum in all others together; NaN where there is nothing."""
    return _divide(sums[:, 0], sums[:, 1:].sum(1))


def _alphas(sums: Floats) -> Floats:
    """Alpha of sums (sets, 1 + classes): agreeing answers, and those of each class; NaN for one class."""
    of_class = sums[:, 1:]
    number = of_class.sum(1)
    disagreeing = number - sums[:, 0]
    expected = number**2 - (of_class**2).sum(1)
    return 1 - _divide((number - 1) * disagreeing, expected)


def _divide(part: Floats, whole: Floats) -> Floats:
    return np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0)


def _figure(sums: Floats, times: Integers, ratio: RatioOfSums, resamples: int, seed: int) -> Figure:
    """A ratio of sums over tasks: `sums` (patterns, parts), with how many tasks are of each pattern."""
    value = ratio(np.atleast_2d(times @ sums))[0] if len(sums) else np.nan
    if np.isnan(value):
        return Figure(None)
    if times.sum() < 2:
        return Figure(float(value))
    drawn = ratio(_resample(sums, times, resamples, seed))
    low, high = np.nanpercentile(drawn, MIDDLE)
    return Figure(float(value), float(low), float(high))


def _resample(sums: Floats, times: Integers, resamples: int, seed: int) -> Floats:
    """The sums over as many tasks, drawn with replacement, time and again: (resamples, parts).

    Tasks of one pattern are alike, so how many are drawn of each is a multinomial draw: its cost is that of
    the patterns, a few hundred for any number of tasks with labels.
    """
    random = np.random.default_rng(seed)
    at_once = max(CELLS // len(times), 1)
    parts = [
        random.multinomial(times.sum(), times / times.sum(), min(at_once, resamples - start)) @ sums
        for start in range(0, resamples, at_once)
    ]
    return np.concatenate(parts)


def _patterns(counts: Integers) -> tuple[Integers, Integers]:
    """The different rows in order, and how many of each there are."""
    base = int(counts.max(initial=0)) + 1
    if base ** counts.shape[1] >= 2**63:
        return np.unique(counts, axis=0, return_counts=True)
    # A row as the digits of one number: whole rows take fifty times as long to sort.
    places = base ** np.arange(counts.shape[1], dtype=np.int64)[::-1]
    numbers, times = np.unique(counts @ places, return_counts=True)
    return numbers[:, None] // places % base, times

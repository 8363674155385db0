"""Agreement between the annotators of a set of tasks: alpha, and the share of agreeing answers.

Alpha is Krippendorff's for nominal data: 1 - observed / expected disagreement. 1 is perfect agreement, and 0
is the agreement of answers drawn at random from all answers. K. Krippendorff, Computing Krippendorff's
Alpha-Reliability (2011), https://repository.upenn.edu/asc_papers/43; A. F. Hayes and K. Krippendorff,
Answering the call for a standard reliability measure for coding data (2007), doi:10.1080/19312450709336664.
Tasks may differ in the number and the people of their answers; one with a single answer is left out.

Every figure is a ratio of sums over tasks, so each gets a bootstrap interval: tasks are resampled with
replacement, and the interval holds the middle 95 % of the results. Whole tasks are drawn, because the answers
to one task are not independent. B. Efron, Bootstrap methods: another look at the jackknife (1979),
doi:10.1214/aos/1176344552.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein

Floats = NDArray[np.floating]
Integers = NDArray[np.integer]

# From sums (sets, parts) to one number per set.
RatioOfSums = Callable[[Floats], Floats]

RESAMPLES = 1000
MIDDLE = (2.5, 97.5)  # percent

# The most cells of resamples in memory.
MAX_CELLS = 4_000_000


@dataclass(frozen=True)
class Figure:
    """A value and its 95 % interval, `low` to `high`; None where the answers do not define it."""

    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Agreement:
    """Agreement on a set of labels.

    `alpha`: undefined while all answers are the same; `agreeing`: the probability that a random answer equals
    that of another annotator of the same task; `tasks`: how many have two or more answers.
    """

    alpha: Figure
    agreeing: Figure
    tasks: int


@dataclass(frozen=True)
class WordAgreement:
    """Agreement on a set of transcripts: the share of `agreeing` words, and the `tasks` with two or more."""

    agreeing: Figure
    tasks: int


def of_labels(counts: Integers, resamples: int = RESAMPLES, seed: int = 0) -> Agreement:
    """Agreement on labels; `counts` (tasks, classes): how many annotators gave each task each label.

    The order of the tasks does not change the figures.

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
    """Agreement on transcripts; `tasks`: for each task, the words of each transcript in normal form.

    Two transcripts agree in n - d words: n is the length of the longer, d their edit distance in words
    (Levenshtein). The figure is the sum of n - d over the sum of n. A pair of a task of k transcripts weighs
    2 / (k - 1), so that each transcript counts once. Undefined without any word.

    >>> of_transcripts([[["play", "the", "song"], ["play", "a", "song"]]]).agreeing.value
    0.6666666666666666
    """
    pairable = [task for task in tasks if len(task) >= 2]
    sums = np.array([_agreeing_words(task) for task in pairable]).reshape(-1, 2)
    patterns, times = np.unique(sums, axis=0, return_counts=True)
    return WordAgreement(_figure(patterns, times, _shares, resamples, seed), len(pairable))


def _agreeing_answers(counts: Integers) -> Floats:
    """For each task, the answers that another annotator confirms: the diagonal of its coincidence matrix."""
    number = counts.sum(1)
    return np.asarray((counts * (counts - 1)).sum(1) / (number - 1))


def _agreeing_words(task: Sequence[Sequence[str]]) -> tuple[float, float]:
    """How many words of a task agree, and of how many; each transcript counts once."""
    agreeing = words = 0
    for one, other in combinations(task, 2):
        longer = max(len(one), len(other))
        agreeing += longer - Levenshtein.distance(one, other)
        words += longer
    weight = 2 / (len(task) - 1)
    return agreeing * weight, words * weight


def _shares(sums: Floats) -> Floats:
    """The first column over the sum of the others: (sets,); NaN where that is 0."""
    return _divide(sums[:, 0], sums[:, 1:].sum(1))


def _alphas(sums: Floats) -> Floats:
    """Alpha (sets,) from sums (sets, 1 + classes): agreeing answers, answers by class. NaN for one class."""
    of_class = sums[:, 1:]
    number = of_class.sum(1)
    disagreeing = number - sums[:, 0]
    expected = number**2 - (of_class**2).sum(1)
    return 1 - _divide((number - 1) * disagreeing, expected)


def _divide(part: Floats, whole: Floats) -> Floats:
    return np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0)


def _figure(sums: Floats, times: Integers, ratio: RatioOfSums, resamples: int, seed: int) -> Figure:
    """A ratio of sums over tasks; `sums` (patterns, parts), `times` (patterns,): tasks of each pattern."""
    value = ratio(np.atleast_2d(times @ sums))[0] if len(sums) else np.nan
    if np.isnan(value):
        return Figure(None)
    if times.sum() < 2:
        return Figure(float(value))
    drawn = ratio(_resample(sums, times, resamples, seed))
    low, high = np.nanpercentile(drawn, MIDDLE)
    return Figure(float(value), float(low), float(high))


def _resample(sums: Floats, times: Integers, resamples: int, seed: int) -> Floats:
    """The sums over tasks drawn with replacement, as many as there are: (resamples, parts).

    Tasks of one pattern are the same, so the number drawn of each pattern is multinomial. The cost depends on
    the patterns, a few hundred for any number of tasks with labels.
    """
    random = np.random.default_rng(seed)
    batch = max(MAX_CELLS // len(times), 1)
    parts = [
        random.multinomial(times.sum(), times / times.sum(), min(batch, resamples - start)) @ sums
        for start in range(0, resamples, batch)
    ]
    return np.concatenate(parts)


def _patterns(counts: Integers) -> tuple[Integers, Integers]:
    """The distinct rows in order, and how often each occurs."""
    base = int(counts.max(initial=0)) + 1
    if base ** counts.shape[1] >= 2**63:
        return np.unique(counts, axis=0, return_counts=True)
    # Each row becomes the digits of one number; sorting whole rows takes 50 times as long.
    places = base ** np.arange(counts.shape[1], dtype=np.int64)[::-1]
    numbers, times = np.unique(counts @ places, return_counts=True)
    return numbers[:, None] // places % base, times

"""Tasks sorted into kinds by who answered what: where people err alike, and what such tasks really are.

Dawid and Skene take errors on one task for independent. They are not: a task that looks like another class
misleads everybody. So a class has several kinds of task, each with matrices of its own, after Y. Li, B. I. P.
Rubinstein and T. Cohn, Exploiting worker correlation for label aggregation in crowdsourcing (2019), where a
kind belongs to one class for good. Here it does not: a kind leans to a class as far as its votes do, which is
what keeps a confusing kind from being taken for certain.
"""

import numpy as np

from .ballots import Ballots, Floats, Integers, answers_of, count, normalised
from .mixtures import Mixture, sort, towards

# A class's clear, middling and contested tasks.
LEVELS = 3
# Votes that the crowd's matrix is worth beside a worker's own. No figure suits every crowd, and it decides
# which kinds are found: so each is tried, and the posteriors are averaged.
POOLINGS = (4.0, 8.0, 16.0)
# A kind leans as its votes do, to this power: many voices say more than one.
SHARPNESS = 2.0
# Tasks of known class that a kind's own votes are worth.
LEANING = 10.0
# Rounds stop when no task's kind moves by this; with many votes, when less of the mean task goes to another
# class than that; or when this much work (votes * kinds * rounds) is done.
STILL, NEARLY_STILL = 1e-4, 1e-3
FEWEST, ROUNDS = 4, 400
WORK = 2e8
# Decimals that a round keeps, up to so many votes: rounding errors must not grow until they break a tie.
KEPT = 9
PRECISE = 200_000
# Votes that kinds are learned from, if there are more.
SAMPLE = 1_000_000


def sampled(votes: Ballots) -> int:
    """Every how many tasks of a crowd are looked at where not all can be."""
    return max(-(-votes.nnz // SAMPLE), 1)


def sort_tasks(
    votes: Ballots, classes: int, known: Integers | None, trust: Floats, pooling: float = POOLINGS[1]
) -> Mixture:
    """Learn the kinds from the votes, beginning from each task's shares of them; no chance is involved."""
    precise = votes.nnz <= PRECISE
    kinds: Floats = _first_kinds(answers_of(votes, classes)).astype(np.float64 if precise else np.float32)
    rounds = int(np.clip(WORK / max(votes.nnz * kinds.shape[1], 1), FEWEST, ROUNDS))
    for _ in range(rounds):
        before, size = kinds, _sizes(kinds)
        counts = count(votes, kinds, classes)
        matrices = _matrices(counts, trust, pooling)
        kinds = sort(votes, matrices, size)
        if precise:
            np.round(kinds, KEPT, out=kinds)
            still = moved_most(before, kinds) < STILL
        else:
            still = moved(before, kinds, _lean(counts)) < NEARLY_STILL
        if still:
            break
    voices = counts.sum(2, dtype=np.float64)
    voices *= trust[:, None] / (voices + pooling)
    weight = counts.sum(2) + pooling
    return Mixture(size, _corrected(_leaning(matrices, voices), kinds, known), matrices, weight)


def moved_most(before: Floats, now: Floats) -> float:
    """By how much one probability moved at most, from one round (tasks, sorts) to the next."""
    return float(np.abs(now - before).max(initial=0))


def moved(before: Floats, now: Floats, leaning: Floats) -> float:
    """How much of the mean task went to another class, by sorts (tasks, sorts) and their `leaning` (sorts,
    classes): sorts of one class may go on changing places, and nothing comes of it."""
    classes = towards(now - before, leaning)
    return float(np.abs(classes, out=classes).sum(dtype=np.float64)) / 2 / max(len(now), 1)


def _lean(counts: Floats) -> Floats:
    """What class each kind leans to by its votes, whosever they are: `_leaning` in short."""
    total = counts.sum(0, dtype=np.float64) + 1 / counts.shape[2]
    return normalised(SHARPNESS * np.log(total))


def _first_kinds(answers: Floats) -> Floats:
    """(tasks, classes * LEVELS): by share of votes, and by how clear the leading class is."""
    classes = answers.shape[1]
    shares = (answers + 1 / classes) / (answers.sum(1, keepdims=True) + 1)
    clear = shares.max(1)
    levels = np.stack([clear**2, 2 * clear * (1 - clear), (1 - clear) ** 2], axis=1)
    kinds = (shares[:, :, None] ** 2 * levels[:, None, :]).reshape(len(answers), classes * LEVELS)
    return np.asarray(kinds / kinds.sum(1, keepdims=True))


def _sizes(kinds: Floats) -> Floats:
    size = np.einsum("tz->z", kinds, dtype=np.float64) + 0.5
    return np.asarray(size / size.sum())


def _matrices(counts: Floats, trust: Floats, pooling: float) -> Floats:
    total = counts.sum(0, dtype=np.float64) + 1 / counts.shape[2]
    pooled = total / total.sum(1, keepdims=True)
    matrices = counts + (pooling * pooled).astype(counts.dtype)
    matrices /= matrices.sum(2, keepdims=True)
    return doubted(matrices, counts, trust)


def doubted(matrices: Floats, counts: Floats, trust: Floats) -> Floats:
    """What is not to be trusted of a worker's answers is taken for that worker's usual mixture of them."""
    if (trust == 1).all():
        return matrices
    usual = counts.sum(1) + 1 / counts.shape[2]
    usual /= usual.sum(1, keepdims=True)
    share = trust.astype(matrices.dtype)[:, None, None]
    return np.asarray(share * matrices + (1 - share) * usual[:, None, :])


def _leaning(matrices: Floats, voices: Floats) -> Floats:
    """What each kind is, by its geometric share of voices: a worker is one, however many votes he cast."""
    mean = np.einsum("wz,wza->za", voices, np.log(matrices)) / np.maximum(voices.sum(0), 1e-9)[:, None]
    return normalised(SHARPNESS * mean)


def _corrected(leaning: Floats, kinds: Floats, known: Integers | None) -> Floats:
    if known is None:
        return leaning
    sure = np.flatnonzero(known >= 0)
    seen = np.zeros_like(leaning)
    np.add.at(seen.T, known[sure], kinds[sure])
    return np.asarray((LEANING * leaning + seen) / (LEANING + seen.sum(1, keepdims=True)))

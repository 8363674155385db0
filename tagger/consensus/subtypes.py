"""Tasks clustered into subtypes by who answered what, to model errors that people make together.

Dawid and Skene take errors on one task as independent. They are not: a task that looks like another class
misleads many people in the same way. So each class starts with several subtypes of task, each with its own
matrices, after Y. Li, B. I. P. Rubinstein and T. Cohn, Exploiting worker correlation for label aggregation in
crowdsourcing (2019). There a subtype belongs to one class. Here its class is uncertain, with the
probabilities that its votes suggest, so that no confusing subtype is ever taken for a certain class.
"""

import numpy as np

from .ballots import Ballots, Floats, Integers, confusion_counts, softmax, tally
from .mixtures import Mixture, component_posterior, to_classes

# Subtypes per class: its clear, middling and contested tasks.
LEVELS = 3
# Pseudo-votes of the crowd's matrix in each row of a worker's. No value suits every crowd, and it decides
# which subtypes are found; so each is tried, and the posteriors are averaged.
POOLINGS = (4.0, 8.0, 16.0)
# A subtype's class probabilities are its vote shares to this power: many voices say more than one.
SHARPNESS = 2.0
# Known tasks that the class probabilities from votes are worth.
CLASS_PRIOR = 10.0
# Rounds stop when no probability of a task changes by TOLERANCE; on many votes, when the mean task moves less
# than MEAN_TOLERANCE to other classes; or when this much WORK (votes * subtypes * rounds) is done.
TOLERANCE, MEAN_TOLERANCE = 1e-4, 1e-3
MIN_ROUNDS, MAX_ROUNDS = 4, 400
WORK = 2e8
# Up to PRECISE_VOTES, each round is rounded to these decimals, or rounding errors could grow and break a tie.
KEPT_DECIMALS = 9
PRECISE_VOTES = 200_000
# Of more votes than this, only a sample of tasks is learned from.
SAMPLE_VOTES = 1_000_000


def sampling_step(votes: Ballots) -> int:
    """n, where every n-th task is enough to learn from: 1 for all but very large crowds."""
    return max(-(-votes.nnz // SAMPLE_VOTES), 1)


def learn(
    votes: Ballots, classes: int, known: Integers | None, trust: Floats, pooling: float = POOLINGS[1]
) -> Mixture:
    """Learn the subtypes from the votes by EM, starting from each task's shares of votes; nothing is random.

    `known` (tasks,): the class where it is known, else -1; `trust` (workers,): from 0 to 1.
    """
    precise = votes.nnz <= PRECISE_VOTES
    subtypes: Floats = _initial(tally(votes, classes)).astype(np.float64 if precise else np.float32)
    rounds = int(np.clip(WORK / max(votes.nnz * subtypes.shape[1], 1), MIN_ROUNDS, MAX_ROUNDS))
    for _ in range(rounds):
        before, prior = subtypes, _prior(subtypes)
        counts = confusion_counts(votes, subtypes, classes)
        matrices = _matrices(counts, trust, pooling)
        subtypes = component_posterior(votes, matrices, prior)
        if precise:
            np.round(subtypes, KEPT_DECIMALS, out=subtypes)
            converged = max_change(before, subtypes) < TOLERANCE
        else:
            converged = mean_change(before, subtypes, _rough_class_shares(counts)) < MEAN_TOLERANCE
        if converged:
            break
    voices = counts.sum(2, dtype=np.float64)
    voices *= trust[:, None] / (voices + pooling)
    support = counts.sum(2) + pooling
    shares = _with_known_tasks(_class_shares(matrices, voices), subtypes, known)
    return Mixture(prior, shares, matrices, support)


def max_change(before: Floats, now: Floats) -> float:
    """The largest change of one probability from one round (tasks, components) to the next."""
    return float(np.abs(now - before).max(initial=0))


def mean_change(before: Floats, now: Floats, class_shares: Floats) -> float:
    """The probability that the mean task moved to other classes, from 0 to 1.

    `class_shares` (components, classes) maps components to classes: those of one class may keep trading
    tasks, which changes no result.
    """
    classes = to_classes(now - before, class_shares)
    return float(np.abs(classes, out=classes).sum(dtype=np.float64)) / 2 / max(len(now), 1)


def _rough_class_shares(counts: Floats) -> Floats:
    """`_class_shares` by votes instead of voices, which is faster: (subtypes, classes)."""
    total = counts.sum(0, dtype=np.float64) + 1 / counts.shape[2]
    return softmax(SHARPNESS * np.log(total))


def _initial(tallies: Floats) -> Floats:
    """(tasks, classes * LEVELS): by the shares of votes, and by how clear the leading class is."""
    classes = tallies.shape[1]
    shares = (tallies + 1 / classes) / (tallies.sum(1, keepdims=True) + 1)
    clear = shares.max(1)
    levels = np.stack([clear**2, 2 * clear * (1 - clear), (1 - clear) ** 2], axis=1)
    subtypes = (shares[:, :, None] ** 2 * levels[:, None, :]).reshape(len(tallies), classes * LEVELS)
    return np.asarray(subtypes / subtypes.sum(1, keepdims=True))


def _prior(subtypes: Floats) -> Floats:
    prior = np.einsum("tz->z", subtypes, dtype=np.float64) + 0.5
    return np.asarray(prior / prior.sum())


def _matrices(counts: Floats, trust: Floats, pooling: float) -> Floats:
    """Each worker's matrix, shrunk towards the crowd's: (workers, subtypes, answers)."""
    total = counts.sum(0, dtype=np.float64) + 1 / counts.shape[2]
    pooled = total / total.sum(1, keepdims=True)
    matrices = counts + (pooling * pooled).astype(counts.dtype)
    matrices /= matrices.sum(2, keepdims=True)
    return distrust(matrices, counts, trust)


def distrust(matrices: Floats, counts: Floats, trust: Floats) -> Floats:
    """Matrices (workers, rows, answers), mixed with each worker's usual answers, which ignore the task.

    A matrix keeps its worker's share of `trust` (workers,); the remaining share is the mean of its rows.
    """
    if (trust == 1).all():
        return matrices
    usual = counts.sum(1) + 1 / counts.shape[2]
    usual /= usual.sum(1, keepdims=True)
    share = trust.astype(matrices.dtype)[:, None, None]
    return np.asarray(share * matrices + (1 - share) * usual[:, None, :])


def _class_shares(matrices: Floats, voices: Floats) -> Floats:
    """Each subtype's class probabilities (subtypes, classes), by the geometric mean of its workers' rows.

    `voices` (workers, subtypes) weighs the workers: each is at most one voice, however many votes they cast.
    """
    mean = np.einsum("wz,wza->za", voices, np.log(matrices)) / np.maximum(voices.sum(0), 1e-9)[:, None]
    return softmax(SHARPNESS * mean)


def _with_known_tasks(class_shares: Floats, subtypes: Floats, known: Integers | None) -> Floats:
    """The class probabilities, corrected by the known tasks of each subtype."""
    if known is None:
        return class_shares
    certain = np.flatnonzero(known >= 0)
    seen = np.zeros_like(class_shares)
    np.add.at(seen.T, known[certain], subtypes[certain])
    return np.asarray((CLASS_PRIOR * class_shares + seen) / (CLASS_PRIOR + seen.sum(1, keepdims=True)))

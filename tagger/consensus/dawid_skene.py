"""Each worker's confusion matrix, and what votes then say of a task's class.

A. P. Dawid and A. M. Skene, Maximum likelihood estimation of observer error-rates using the EM algorithm,
Applied Statistics (1979), doi:10.2307/2346806, with priors: a worker's matrix is pooled towards the crowd's,
and the crowd's towards one accuracy for all, as strongly as votes are few. Their posterior is too sure: see
`opinion`.
"""

import numpy as np

from .ballots import Ballots, Floats, Integers, answers_of, count, fixed, largest, row_sums
from .kinds import KEPT, PRECISE, STILL, WORK, doubted, moved, moved_most
from .mixtures import Mixture, sort

# Votes that a prior is worth: the crowd's matrix against a worker's own, one accuracy against the crowd's.
POOLING = 4.0
ONE_COIN = 10.0
# The share of right answers to expect of a crowd that nothing is known of.
GUESS = 0.7
# Errors on one task go together, so evidence counts less the more of it there is: x nats are worth
# TAIL * log(1 + x / TAIL), as if each vote's error rate were itself uncertain.
TAIL = 3.0
# How much the plain share of votes counts beside the posterior.
SHARE = 0.25
# Where classes and matrices are learned from each other: the pooling, how errors on one task correlate, and
# how many rounds at least and at most.
CORRELATION = 0.125
FEWEST, ROUNDS = 4, 30
# Rounds on many votes stop when so little of the mean task goes to another class.
NEARLY_STILL = 3e-4
# The power of the learned prior of two classes: what is rarely voted may be often missed.
EVENED = 0.5
# A class is taken to be so many times as common as its votes at most: else one that hardly anybody names
# becomes what all contested tasks are.
OFTENER = 2.0


def one_coin(classes: int, accuracy: float) -> Floats:
    """The matrix of who is right with one probability whatever the class, and errs evenly.

    >>> one_coin(3, 0.8).round(2).tolist()
    [[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.1, 0.1, 0.8]]
    """
    matrix = np.full((classes, classes), (1 - accuracy) / max(classes - 1, 1))
    np.fill_diagonal(matrix, accuracy if classes > 1 else 1.0)
    return matrix


def independent(votes: Ballots, classes: int, known: Integers | None, trust: Floats) -> Mixture:
    """Learn the matrices and the classes from each other, beginning from each task's shares of votes.

    Of two classes the prior is between the learned one and an even one: their geometric mean. Of more it is
    the learned one: evened, many rare classes would together outweigh the common one.
    """
    precise = votes.nnz <= PRECISE
    power = EVENED if classes == 2 else 1.0
    answers = answers_of(votes, classes)
    voted = answers.sum(0, dtype=np.float64) + 1 / classes
    most = OFTENER * voted / voted.sum()
    truth: Floats = shares(answers).astype(np.float64 if precise else np.float32)
    rounds = int(np.clip(WORK / max(votes.nnz * classes, 1), FEWEST, ROUNDS))
    itself = np.eye(classes)
    for _ in range(rounds):
        before, truth = truth, fixed(truth, known)
        size = (np.einsum("tk->k", truth, dtype=np.float64) + 1) ** power
        size = np.minimum(size / size.sum(), most)
        size /= size.sum()
        counts = count(votes, truth, classes)
        matrices = skills(counts, pool(counts), trust).astype(truth.dtype)
        truth = sort(votes, matrices, size)
        if precise:
            np.round(truth, KEPT, out=truth)
            still = moved_most(before, truth) < STILL
        else:
            still = moved(before, truth, itself) < NEARLY_STILL
        if still:
            break
    return Mixture(size, itself, matrices, counts.sum(2) + POOLING, CORRELATION)


def pool(counts: Floats) -> Floats:
    """The crowd's matrix, classes by answers, from everybody's counts (workers, classes, answers)."""
    total = counts.sum(0, dtype=np.float64)
    accuracy = (np.trace(total) + ONE_COIN * GUESS) / (total.sum() + ONE_COIN)
    prior = ONE_COIN * one_coin(len(total), accuracy)
    return np.asarray((total + prior) / (total.sum(1, keepdims=True) + ONE_COIN))


def skills(counts: Floats, pooled: Floats, trust: Floats) -> Floats:
    """Every worker's matrix: (workers, classes, answers)."""
    matrices = (counts + POOLING * pooled) / (counts.sum(2, keepdims=True) + POOLING)
    return doubted(np.asarray(matrices), counts, trust)


def opinion(scores: Floats, prior: Floats, answers: Floats) -> Floats:
    """How likely each class is: (tasks, classes), from log-likelihoods, class prior and votes for each.

    An agreeing vote never lowers the leader while the prior is even and the voter names each class most often
    where it is true: it takes every other class further behind, and both parts of the mixture follow.
    """
    behind = largest(scores)[:, None] - scores
    likely = prior.astype(scores.dtype) * np.power(1 + behind / TAIL, -TAIL)
    likely /= row_sums(likely)[:, None]
    return np.asarray((1 - SHARE) * likely + SHARE * shares(answers))


def shares(answers: Floats) -> Floats:
    """The share of votes for each class, with one vote more that is spread over all of them."""
    return np.asarray((answers + 1 / answers.shape[1]) / (row_sums(answers) + 1)[:, None])

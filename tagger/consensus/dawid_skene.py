"""Each worker's confusion matrix, and what votes then say of a task's class.

A. P. Dawid and A. M. Skene, Maximum likelihood estimation of observer error-rates using the EM algorithm,
Applied Statistics (1979), doi:10.2307/2346806, with priors: a worker's matrix is pooled towards the crowd's,
and the crowd's towards one accuracy for all, as strongly as votes are few. Their posterior is too sure: see
`opinion`.
"""

import numpy as np

from tagger.consensus.ballots import Floats, largest
from tagger.consensus.kinds import doubted

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


def one_coin(classes: int, accuracy: float) -> Floats:
    """The matrix of who is right with one probability whatever the class, and errs evenly.

    >>> one_coin(3, 0.8).round(2).tolist()
    [[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.1, 0.1, 0.8]]
    """
    matrix = np.full((classes, classes), (1 - accuracy) / max(classes - 1, 1))
    np.fill_diagonal(matrix, accuracy if classes > 1 else 1.0)
    return matrix


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
    likely = prior * np.power(1 + behind / TAIL, -TAIL)
    likely /= likely.sum(1, keepdims=True)
    return np.asarray((1 - SHARE) * likely + SHARE * shares(answers))


def shares(answers: Floats) -> Floats:
    """The share of votes for each class, with one vote more that is spread over all of them."""
    return np.asarray((answers + 1 / answers.shape[1]) / (answers.sum(1, keepdims=True) + 1))

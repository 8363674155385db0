"""One confusion matrix per worker, and the posterior of a task's class given its votes.

A. P. Dawid and A. M. Skene, Maximum likelihood estimation of observer error-rates using the EM algorithm,
Applied Statistics (1979), doi:10.2307/2346806, with priors: a worker's matrix is shrunk towards the crowd's,
and the crowd's towards one accuracy for all classes; the fewer the votes, the more. Their posterior is too
sure of itself: see `posterior`.
"""

import numpy as np

from .ballots import Ballots, Floats, Integers, confusion_counts, row_max, row_sums, tally, with_known
from .mixtures import Mixture, component_posterior
from .subtypes import KEPT_DECIMALS, PRECISE_VOTES, TOLERANCE, WORK, distrust, max_change, mean_change

# Pseudo-votes of the priors, per row: of the crowd's matrix in a worker's; of one accuracy in the crowd's.
POOLING = 4.0
ONE_COIN = 10.0
# The expected share of right answers in a crowd of which nothing is known.
DEFAULT_ACCURACY = 0.7
# Errors on one task are correlated, so evidence has diminishing returns: x nats count as
# TAIL * log(1 + x / TAIL), as if each vote's error rate were itself uncertain.
TAIL = 3.0
# Weight of the plain share of votes in the posterior.
SHARE = 0.25
# The correlation of the errors on one task while `learn` estimates classes and matrices from each other.
CORRELATION = 0.125
MIN_ROUNDS, MAX_ROUNDS = 4, 30
# On many votes, rounds stop when the mean task moves less probability than this to other classes.
MEAN_TOLERANCE = 3e-4
# The learned prior of two classes is raised to this power: a class with few votes may be one often missed.
TWO_CLASS_PRIOR_POWER = 0.5
# The prior of a class is at most this multiple of its share of the votes. Without a limit, contested tasks
# drift to a class that hardly anyone names.
MAX_PRIOR_RATIO = 2.0


def one_coin(classes: int, accuracy: float) -> Floats:
    """A matrix (classes, answers) with the same accuracy in every class and evenly spread errors.

    >>> one_coin(3, 0.8).round(2).tolist()
    [[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.1, 0.1, 0.8]]
    """
    matrix = np.full((classes, classes), (1 - accuracy) / max(classes - 1, 1))
    np.fill_diagonal(matrix, accuracy if classes > 1 else 1.0)
    return matrix


def learn(votes: Ballots, classes: int, known: Integers | None, trust: Floats) -> Mixture:
    """Estimate classes and matrices from each other by EM, starting from each task's shares of votes.

    `known` (tasks,): the class where it is known, else -1; `trust` (workers,): from 0 to 1. The result is a
    mixture with one component per class.

    The prior of two classes is the geometric mean of the learned and a uniform prior. With more classes it is
    the learned prior: flattened, many rare classes would together outweigh the common one.
    """
    precise = votes.nnz <= PRECISE_VOTES
    power = TWO_CLASS_PRIOR_POWER if classes == 2 else 1.0
    tallies = tally(votes, classes)
    voted = tallies.sum(0, dtype=np.float64) + 1 / classes
    most = MAX_PRIOR_RATIO * voted / voted.sum()
    truth: Floats = vote_shares(tallies).astype(np.float64 if precise else np.float32)
    rounds = int(np.clip(WORK / max(votes.nnz * classes, 1), MIN_ROUNDS, MAX_ROUNDS))
    identity = np.eye(classes)
    for _ in range(rounds):
        before, truth = truth, with_known(truth, known)
        prior = (np.einsum("tk->k", truth, dtype=np.float64) + 1) ** power
        prior = np.minimum(prior / prior.sum(), most)
        prior /= prior.sum()
        counts = confusion_counts(votes, truth, classes)
        matrices = worker_matrices(counts, pooled_matrix(counts), trust).astype(truth.dtype)
        truth = component_posterior(votes, matrices, prior)
        if precise:
            np.round(truth, KEPT_DECIMALS, out=truth)
            converged = max_change(before, truth) < TOLERANCE
        else:
            converged = mean_change(before, truth, identity) < MEAN_TOLERANCE
        if converged:
            break
    return Mixture(prior, identity, matrices, counts.sum(2) + POOLING, CORRELATION)


def pooled_matrix(counts: Floats) -> Floats:
    """The crowd's matrix (classes, answers) from all workers' counts (workers, classes, answers)."""
    total = counts.sum(0, dtype=np.float64)
    return np.asarray((total + ONE_COIN * own_coin(total)) / (total.sum(1, keepdims=True) + ONE_COIN))


def own_coin(total: Floats) -> Floats:
    """A matrix (classes, answers) with one accuracy, that of these counts (classes, answers)."""
    accuracy = (np.trace(total) + ONE_COIN * DEFAULT_ACCURACY) / (total.sum() + ONE_COIN)
    return one_coin(len(total), accuracy)


def worker_matrices(counts: Floats, pooled: Floats, trust: Floats) -> Floats:
    """Matrices (workers, classes, answers), each shrunk towards the `pooled` one (classes, answers)."""
    matrices = (counts + POOLING * pooled) / (counts.sum(2, keepdims=True) + POOLING)
    return distrust(np.asarray(matrices), counts, trust)


def posterior(scores: Floats, prior: Floats, tallies: Floats) -> Floats:
    """The probability of each class for each task: (tasks, classes).

    `scores` (tasks, classes) are log-likelihoods, `prior` (classes,), `tallies` (tasks, classes) votes. With
    x_k the nats by which class k trails the best one,

        p_k = (1 - SHARE) * q_k / sum(q) + SHARE * vote_share_k,  q_k = prior_k * (1 + x_k / TAIL) ** -TAIL

    One more agreeing vote never lowers the leader, if the prior is uniform and the voter names each class
    most often where it is true: every other class falls further behind, and so both terms grow.
    """
    behind = row_max(scores)[:, None] - scores
    likely = prior.astype(scores.dtype) * np.power(1 + behind / TAIL, -TAIL)
    likely /= row_sums(likely)[:, None]
    return np.asarray((1 - SHARE) * likely + SHARE * vote_shares(tallies))


def vote_shares(tallies: Floats) -> Floats:
    """The share of votes for each class (tasks, classes), with one pseudo-vote spread over all classes."""
    return np.asarray((tallies + 1 / tallies.shape[1]) / (row_sums(tallies) + 1)[:, None])

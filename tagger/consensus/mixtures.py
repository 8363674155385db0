"""Mixture models of a crowd: each task belongs to one of several components, each with its own matrices.

All models have this form: `dawid_skene.learn` has one component per class, `subtypes.learn` has several. So
they can be compared, and averaged, by how well each predicts every vote from all the others. That needs no
known class. D. H. Wolpert, Stacked generalization (1992), doi:10.1016/S0893-6080(05)80023-1; with densities
P. Smyth and D. Wolpert, Linearly combining density estimators via stacking (1999),
doi:10.1023/A:1007511322260.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .ballots import Ballots, Floats, chunks, log_likelihoods, softmax

# EM rounds in which the stacking weights settle.
ROUNDS = 200
# Pseudo-votes that the stacking weights start with, over all models together.
PRIOR = 1.0
# The stacking weights are raised to this power: the better model gets more than its share.
SHARPNESS = 2.0
# Tasks processed together where each vote takes its own row.
CHUNK_BY_VOTE = 1 << 13
# Probabilities below this count as this.
MIN_PROBABILITY = 1e-6


@dataclass(frozen=True)
class Mixture:
    """A fitted model.

    `prior` (components,): the share of tasks in each; `class_shares` (components, classes): the probability
    of each class in a component; `matrices` (workers, components, answers): how each worker answers there;
    `support` (workers, components): the votes behind each row, pseudo-votes included; `correlation`: of the
    errors on one task, from 0 to 1.
    """

    prior: Floats
    class_shares: Floats
    matrices: Floats
    support: Floats
    correlation: float = 0.0

    def posterior(self, votes: Ballots) -> Floats:
        """The probability of each class for each task: (tasks, classes)."""
        found = np.empty((votes.shape[0], self.class_shares.shape[1]), self.matrices.dtype)
        for part, chunk in chunks(votes):
            components = component_posterior(chunk, self.matrices, self.prior, self.correlation)
            found[part] = to_classes(components, self.class_shares)
        return found

    def leave_one_out(self, votes: Ballots) -> Floats:
        """The probability of each vote given all other votes: (votes,), in the order of `votes.data`."""
        return np.concatenate([self._leave_one_out(chunk) for _, chunk in chunks(votes, CHUNK_BY_VOTE)])

    def _leave_one_out(self, votes: Ballots) -> Floats:
        workers, answers = np.divmod(votes.indices, self.matrices.shape[2])
        number = np.diff(votes.indptr)
        scores = log_likelihoods(votes, self.matrices) + np.log(self.prior).astype(self.matrices.dtype)
        own = self.matrices[workers, :, answers]
        others = np.repeat(scores, number, axis=0)
        others -= votes.data[:, None] * np.log(own)
        # The worker's matrix as it would be without this vote.
        removed = np.repeat(softmax(scores), number, axis=0)
        support = self.support[workers].astype(own.dtype)
        own *= support
        own -= removed
        support -= removed
        own /= np.maximum(support, MIN_PROBABILITY)
        return np.einsum("vz,vz->v", softmax(others), np.clip(own, MIN_PROBABILITY, 1))


def component_posterior(votes: Ballots, matrices: Floats, prior: Floats, correlation: float = 0.0) -> Floats:
    """The probability of each component for each task: (tasks, components).

    Of n votes with errors correlated by `correlation`, n / (1 + correlation * (n - 1)) count: the design
    effect of L. Kish, Survey sampling (1965).
    """
    scores = log_likelihoods(votes, matrices)
    if correlation:
        effect = 1 + correlation * np.maximum(np.diff(votes.indptr) - 1, 0)
        scores /= effect[:, None].astype(scores.dtype)
    scores += np.log(prior).astype(scores.dtype)
    return softmax(scores)


def to_classes(components: Floats, class_shares: Floats) -> Floats:
    """Probabilities of components (tasks, components) as those of classes (tasks, classes)."""
    # Not a matrix product: BLAS would wake every core for so little.
    shares = np.ascontiguousarray(class_shares.T, components.dtype)
    return np.asarray(np.einsum("ts,cs->tc", components, shares))


def stacking_weights(predicted: Sequence[Floats], trusted: Sequence[float]) -> list[float]:
    """Each model's share in the mixture that predicts the votes best; the shares sum to 1.

    `predicted`: for each model, the `leave_one_out` probability of every vote; `trusted`: each model's weight
    before any vote is seen.
    """
    likely = np.maximum(np.stack(predicted), MIN_PROBABILITY)
    number = len(likely)
    share = np.full(number, 1 / number)
    for _ in range(ROUNDS):
        joint = likely * share[:, None]
        joint /= joint.sum(0)
        share = joint.sum(1, dtype=np.float64) + PRIOR / number
        share /= share.sum()
    share = trusted * share**SHARPNESS
    return (share / share.sum()).tolist()

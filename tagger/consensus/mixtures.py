"""Models of a crowd in which each task is of one of several sorts, and how well they foretell votes.

What is learned has one form, whether the sorts are the classes themselves (`dawid_skene.independent`) or
finer (`kinds.sort_tasks`): so models can be compared, and averaged, by how well each vote is foretold from
all the others (D. H. Wolpert, Stacked generalization (1992), doi:10.1016/S0893-6080(05)80023-1; with
densities P. Smyth and D. Wolpert, Linearly combining density estimators via stacking (1999),
doi:10.1023/A:1007511322260). That needs no known class.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .ballots import Ballots, Floats, chunks, normalised, weigh

# Rounds in which shares of a mixture settle.
ROUNDS = 200
# Votes that the shares of a mixture begin with, all together.
PRIOR = 1.0
# Shares are taken to this power: the better model says more than its share of a mixture.
SHARPNESS = 2.0
# Tasks looked at together where each vote takes a row of its own.
FEW = 1 << 13
# Probabilities below this are not told apart.
LEAST = 1e-6


@dataclass(frozen=True)
class Mixture:
    """`size` (sorts,): the share of tasks of each; `leaning` (sorts, classes): what class they are;
    `matrices` (workers, sorts, answers): how each worker answers them; `weight` (workers, sorts): the votes
    that these are learned from, a prior's included; `correlation` of the errors on one task."""

    size: Floats
    leaning: Floats
    matrices: Floats
    weight: Floats
    correlation: float = 0.0

    def posterior(self, votes: Ballots) -> Floats:
        """How likely each class is for each task: (tasks, classes)."""
        found = np.empty((votes.shape[0], self.leaning.shape[1]), self.matrices.dtype)
        for part, some in chunks(votes):
            found[part] = towards(sort(some, self.matrices, self.size, self.correlation), self.leaning)
        return found

    def foretold(self, votes: Ballots) -> Floats:
        """How likely each stored vote was by all the others: in the order of `votes.data`."""
        return np.concatenate([self._foretold(some) for _, some in chunks(votes, FEW)])

    def _foretold(self, votes: Ballots) -> Floats:
        workers, answers = np.divmod(votes.indices, self.matrices.shape[2])
        number = np.diff(votes.indptr)
        scores = weigh(votes, self.matrices) + np.log(self.size).astype(self.matrices.dtype)
        own = self.matrices[workers, :, answers]
        others = np.repeat(scores, number, axis=0)
        others -= votes.data[:, None] * np.log(own)
        # A worker's matrix as it would be without this vote.
        taken = np.repeat(normalised(scores), number, axis=0)
        weight = self.weight[workers].astype(own.dtype)
        own *= weight
        own -= taken
        weight -= taken
        own /= np.maximum(weight, LEAST)
        return np.einsum("vz,vz->v", normalised(others), np.clip(own, LEAST, 1))


def sort(votes: Ballots, matrices: Floats, size: Floats, correlation: float = 0.0) -> Floats:
    """How likely each sort is for each task: (tasks, sorts).

    Of n votes whose errors go together as `correlation` says, n / (1 + correlation * (n - 1)) count: the
    design effect of L. Kish, Survey sampling (1965).
    """
    scores = weigh(votes, matrices)
    if correlation:
        effect = 1 + correlation * np.maximum(np.diff(votes.indptr) - 1, 0)
        scores /= effect[:, None].astype(scores.dtype)
    scores += np.log(size).astype(scores.dtype)
    return normalised(scores)


def towards(sorts: Floats, leaning: Floats) -> Floats:
    """Sorts (tasks, sorts) as classes (tasks, classes), by how the sorts lean (sorts, classes)."""
    # Not a product: BLAS would wake every core for so little.
    return np.asarray(np.einsum("ts,cs->tc", sorts, np.ascontiguousarray(leaning.T, sorts.dtype)))


def shares(foretold: Sequence[Floats], trusted: Sequence[float]) -> list[float]:
    """Each model's share in the mixture that foretells the votes best, by the trust it begins with."""
    likely = np.maximum(np.stack(foretold), LEAST)
    number = len(likely)
    share = np.full(number, 1 / number)
    for _ in range(ROUNDS):
        joint = likely * share[:, None]
        joint /= joint.sum(0)
        share = joint.sum(1, dtype=np.float64) + PRIOR / number
        share /= share.sum()
    share = trusted * share**SHARPNESS
    return (share / share.sum()).tolist()

"""Who copies whom, from votes alone: pairs that agree far beyond what their matrices explain.

Two people who are often right agree often, and that says nothing. So agreement is set against what two
independent people with their matrices would show on the same tasks; the excess is the share of answers that
must have been copied. Compare L. Dong, L. Berti-Equille and D. Srivastava, Integrating conflicting data: the
role of source dependence (2009), doi:10.14778/1687627.1687690. Nobody is banned: a group counts as one.
"""

import numpy as np
import scipy.sparse
from scipy.sparse import csgraph

from .ballots import Ballots, Floats, Integers

# Wrong answers that two must share before they are looked at: common truths prove nothing.
SHARED = 5
# A pair colludes if this share of its answers must be copied and chance would need so many deviations: of
# thousands of pairs not one honest one should be taken for it.
COPIED = 0.75
DEVIATIONS = 5.0


def independence(votes: Ballots, posterior: Floats, matrices: Floats) -> Floats:
    """What each worker's votes count for, (workers,): 1, or 1 / n in a group of n that copy one another.

    `posterior` (tasks, classes) and `matrices` (workers, classes, answers) are of a fit without it.
    """
    crowd = len(matrices)
    ones, others = _suspects(votes, posterior, crowd)
    if not ones.size:
        return np.ones(crowd)
    share, deviations = copying(votes, posterior, matrices, ones, others)
    copied = (share >= COPIED) & (deviations >= DEVIATIONS)
    edges = scipy.sparse.coo_matrix(
        (np.ones(copied.sum()), (ones[copied], others[copied])), shape=(crowd, crowd)
    )
    _, group = csgraph.connected_components(edges, directed=False)
    return np.asarray(1 / np.bincount(group)[group])


def copying(
    votes: Ballots, posterior: Floats, matrices: Floats, ones: Integers, others: Integers
) -> tuple[Floats, Floats]:
    """For each pair of workers, the likeliest share of copied answers; how unlikely it is, in deviations."""
    common, agreed, expected, spread = np.zeros((4, ones.size))
    classes = matrices.shape[1]
    people, place = np.unique(np.concatenate([ones, others]), return_inverse=True)
    one, other = place[: ones.size], place[ones.size :]
    columns = (people[:, None] * classes + np.arange(classes)).ravel()
    cast = votes[:, columns].T.tocsr()
    voted = (scipy.sparse.kron(scipy.sparse.eye(people.size), np.ones((1, classes))) @ cast).tocsr()
    for answer in range(classes):
        agreed += _together(cast[answer::classes], cast[answer::classes], one, other)
    for k in range(classes):
        likely = scipy.sparse.diags(posterior[:, k].astype(float))
        tasks = _together(voted @ likely, voted, one, other)
        alike = np.einsum("pa,pa->p", matrices[ones, k], matrices[others, k])
        common += tasks
        expected += tasks * alike
        spread += tasks * alike * (1 - alike)
    excess = agreed - expected
    return excess / np.maximum(common - expected, 1e-9), excess / np.sqrt(np.maximum(spread, 1e-9))


def _together(some: Ballots, more: Ballots, one: Integers, other: Integers) -> Floats:
    """For each pair of rows, the sum over columns of their products."""
    return np.asarray((some @ more.T).tocsr()[one, other]).ravel()


def _suspects(votes: Ballots, posterior: Floats, crowd: int) -> tuple[Integers, Integers]:
    """Pairs with enough answers in common that are most likely wrong."""
    classes = posterior.shape[1]
    leader = posterior.argmax(1)
    entries = votes.tocoo()
    answer = entries.col % classes
    wrong = answer != leader[entries.row]
    place = entries.row[wrong].astype(np.int64) * classes + answer[wrong]
    mistakes = scipy.sparse.coo_matrix(
        (np.ones(place.size), (entries.col[wrong] // classes, place)), shape=(crowd, posterior.size)
    ).tocsr()
    shared = scipy.sparse.triu(mistakes @ mistakes.T, k=1).tocoo()
    enough = shared.data >= SHARED
    return shared.row[enough], shared.col[enough]

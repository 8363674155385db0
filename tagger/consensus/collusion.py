"""Workers who copy each other, from votes alone: pairs that agree far more than their matrices explain.

Two workers who are often right agree often, which proves nothing. So their agreement is compared with that of
two independent workers with the same matrices on the same tasks; the excess is the share of copied answers.
Compare L. Dong, L. Berti-Equille and D. Srivastava, Integrating conflicting data: the role of source
dependence (2009), doi:10.14778/1687627.1687690. No one is banned: a group of copiers counts as one worker.
"""

import numpy as np
import scipy.sparse
from scipy.sparse import csgraph

from .ballots import Ballots, Floats, Integers

# A pair is examined if it shares this many wrong answers: shared right answers prove nothing.
MIN_SHARED_ERRORS = 5
# A pair copies if at least this share of its answers must be copied, and chance would need at least this many
# standard deviations: among thousands of pairs, no honest one should be taken for copiers.
MIN_COPIED_SHARE = 0.75
MIN_DEVIATIONS = 5.0


def independence(votes: Ballots, posterior: Floats, matrices: Floats) -> Floats:
    """The weight of each worker's votes (workers,): 1, or 1 / n in a group of n that copy one another.

    `posterior` (tasks, classes) and `matrices` (workers, classes, answers) come from a fit without it.
    """
    crowd = len(matrices)
    ones, others = _suspects(votes, posterior, crowd)
    if not ones.size:
        return np.ones(crowd)
    share, deviations = copied_share(votes, posterior, matrices, ones, others)
    copied = (share >= MIN_COPIED_SHARE) & (deviations >= MIN_DEVIATIONS)
    edges = scipy.sparse.coo_matrix(
        (np.ones(copied.sum()), (ones[copied], others[copied])), shape=(crowd, crowd)
    )
    _, group = csgraph.connected_components(edges, directed=False)
    return np.asarray(1 / np.bincount(group)[group])


def copied_share(
    votes: Ballots, posterior: Floats, matrices: Floats, ones: Integers, others: Integers
) -> tuple[Floats, Floats]:
    """For each pair of workers, the likeliest share of copied answers and its significance.

    The significance is in standard deviations of the agreement of two independent workers. Both results have
    the shape (pairs,), as `ones` and `others` have.
    """
    common, agreed, expected, spread = np.zeros((4, ones.size))
    classes = matrices.shape[1]
    people, place = np.unique(np.concatenate([ones, others]), return_inverse=True)
    one, other = place[: ones.size], place[ones.size :]
    columns = (people[:, None] * classes + np.arange(classes)).ravel()
    cast = votes[:, columns].T.tocsr()
    voted = (scipy.sparse.kron(scipy.sparse.eye(people.size), np.ones((1, classes))) @ cast).tocsr()
    for answer in range(classes):
        agreed += _row_products(cast[answer::classes], cast[answer::classes], one, other)
    for k in range(classes):
        likely = scipy.sparse.diags(posterior[:, k].astype(float))
        tasks = _row_products(voted @ likely, voted, one, other)
        same_answer = np.einsum("pa,pa->p", matrices[ones, k], matrices[others, k])
        common += tasks
        expected += tasks * same_answer
        spread += tasks * same_answer * (1 - same_answer)
    excess = agreed - expected
    return excess / np.maximum(common - expected, 1e-9), excess / np.sqrt(np.maximum(spread, 1e-9))


def _row_products(left: Ballots, right: Ballots, one: Integers, other: Integers) -> Floats:
    """For each pair, the dot product of row `one` of `left` and row `other` of `right`: (pairs,)."""
    return np.asarray((left @ right.T).tocsr()[one, other]).ravel()


def _suspects(votes: Ballots, posterior: Floats, crowd: int) -> tuple[Integers, Integers]:
    """The pairs of workers that share enough answers that are probably wrong."""
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
    enough = shared.data >= MIN_SHARED_ERRORS
    return shared.row[enough], shared.col[enough]

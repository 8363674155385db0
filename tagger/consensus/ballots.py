"""Votes as one sparse matrix, tasks by (worker, answer), that estimates multiply by something small.

Its canonical order makes every sum independent of the order in which the rows came.
"""

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import scipy.sparse

Floats = npt.NDArray[np.floating]
Integers = npt.NDArray[np.integer]
Ballots: TypeAlias = scipy.sparse.csr_matrix

# Tasks looked at together: what a step holds beside the votes is bounded by this, not by the crowd.
CHUNK = 1 << 16


def ballots(tasks: Integers, workers: Integers, answers: Integers, size: tuple[int, int, int]) -> Ballots:
    """Votes as (tasks, workers * classes) of weights; `size` is the number of tasks, workers and classes.

    An answer of -1 is an abstention and left out. Of a worker's answers to one task equal ones count once,
    and different ones share one vote: saying it twice says no more, and who said both meant neither fully.

    >>> ballots(np.array([0, 0, 0]), np.array([0, 1, 1]), np.array([1, 0, 1]), (1, 2, 2)).toarray()
    array([[0. , 1. , 0.5, 0.5]], dtype=float32)
    """
    number, crowd, classes = size
    if answers.size and answers.min() < 0:
        cast = answers >= 0
        tasks, workers, answers = tasks[cast], workers[cast], answers[cast]
    columns = workers.astype(np.int32)
    columns *= classes
    columns += answers.astype(np.int32, copy=False)
    votes = _by_task(tasks.astype(np.int32, copy=False), columns, (number, crowd * classes))
    votes.sum_duplicates()
    votes.data[:] = 1
    _share_second_thoughts(votes, classes)
    return votes


def _by_task(rows: Integers, columns: Integers, shape: tuple[int, int]) -> Ballots:
    """A vote of 1 at each place; what comes in the order of its tasks needs no sorting by them."""
    ones = np.ones(columns.size, np.float32)
    if (rows[1:] < rows[:-1]).any():
        return scipy.sparse.coo_matrix((ones, (rows, columns)), shape=shape).tocsr()
    bounds = np.searchsorted(rows, np.arange(shape[0] + 1, dtype=np.int32)).astype(np.int32)
    return scipy.sparse.csr_matrix((ones, columns, bounds), shape=shape)


def _share_second_thoughts(votes: Ballots, classes: int) -> None:
    for _, some in chunks(votes):
        people = some.indices // classes
        again = np.flatnonzero(people[1:] == people[:-1]) + 1
        # Who closes one task may open the next.
        again = again[some.indptr[np.searchsorted(some.indptr, again)] != again]
        begins = np.diff(again, prepend=-1) > 1
        run = np.cumsum(begins) - 1
        number = np.bincount(run) + 1
        some.data[again[begins] - 1] /= number
        some.data[again] /= number[run]


def chunks(votes: Ballots, size: int = CHUNK) -> Iterator[tuple[slice, Ballots]]:
    """The votes of some tasks at a time, and which tasks these are; they share memory with the whole."""
    for start in range(0, max(votes.shape[0], 1), size):
        part = slice(start, start + size)
        yield part, votes if votes.shape[0] <= size else _some(votes, part)


def _some(votes: Ballots, part: slice) -> Ballots:
    bounds = votes.indptr[part.start : part.stop + 1]
    inside = slice(bounds[0], bounds[-1])
    some = scipy.sparse.csr_matrix((bounds.size - 1, votes.shape[1]), dtype=votes.dtype)
    # Given to the constructor, they would be copied.
    some.data, some.indices, some.indptr = votes.data[inside], votes.indices[inside], bounds - bounds[0]
    return some


def answers_of(votes: Ballots, classes: int) -> Floats:
    """How many votes each task has for each class: (tasks, classes)."""
    crowd = votes.shape[1] // classes
    return np.asarray(votes @ np.tile(np.eye(classes, dtype=np.float32), (crowd, 1)))


def count(votes: Ballots, weights: Floats, classes: int) -> Floats:
    """How often each worker answered what where: (workers, columns of the weights, classes)."""
    counts = np.asarray(votes.T @ weights)
    return counts.reshape(-1, classes, weights.shape[1]).transpose(0, 2, 1)


def weigh(votes: Ballots, matrices: Floats) -> Floats:
    """The log-likelihood of each task's votes under (workers, columns, classes): (tasks, columns)."""
    columns = matrices.shape[1]
    evidence = np.log(matrices).transpose(0, 2, 1).reshape(-1, columns)
    return np.asarray(votes @ np.ascontiguousarray(evidence))


def normalised(scores: Floats) -> Floats:
    """Scores in logarithms to probabilities, row by row and in place."""
    scores -= largest(scores)[:, None]
    np.exp(scores, out=scores)
    scores /= row_sums(scores)[:, None]
    return scores


def fixed(posterior: Floats, known: Integers | None) -> Floats:
    """The same, in place, with certainty where a task's class is `known` (else -1)."""
    if known is not None:
        sure = np.flatnonzero(known >= 0)
        posterior[sure] = 0
        posterior[sure, known[sure]] = 1
    return posterior


def largest(scores: Floats) -> Floats:
    """Each row's largest: `max(1)`, column by column, which is many times faster where columns are few."""
    most = scores[:, 0].copy()
    for column in scores.T[1:]:
        np.maximum(most, column, out=most)
    return most


def row_sums(values: Floats) -> Floats:
    """`values.sum(1)`, many times faster where columns are few; and BLAS, which wakes every core for so
    little, is not asked."""
    return np.asarray(np.einsum("tk->t", values))

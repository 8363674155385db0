"""Votes as one sparse matrix, tasks by (worker, answer), and the sums and products that the models need.

The matrix is in canonical order, so no sum depends on the order in which the rows came.
"""

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import scipy.sparse

Floats = npt.NDArray[np.floating]
Integers = npt.NDArray[np.integer]
Ballots: TypeAlias = scipy.sparse.csr_matrix

# Tasks processed together: this bounds the memory of a step beyond the votes themselves.
CHUNK = 1 << 16


def ballots(tasks: Integers, workers: Integers, answers: Integers, size: tuple[int, int, int]) -> Ballots:
    """A sparse matrix of vote weights, (tasks, workers * classes), from one row per vote.

    `tasks`, `workers` and `answers` are numbers from 0; an answer of -1 is an abstention and is left out.
    `size` is the number of tasks, workers and classes. A worker has one vote per task: the same answer given
    twice counts once, and n different answers count 1 / n each.

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
    votes = _sparse(tasks.astype(np.int32, copy=False), columns, (number, crowd * classes))
    votes.sum_duplicates()
    votes.data[:] = 1
    _split_repeated_votes(votes, classes)
    return votes


def _sparse(rows: Integers, columns: Integers, shape: tuple[int, int]) -> Ballots:
    """1 at each (row, column). Rows that are already in order are not sorted again."""
    ones = np.ones(columns.size, np.float32)
    if (rows[1:] < rows[:-1]).any():
        return scipy.sparse.coo_matrix((ones, (rows, columns)), shape=shape).tocsr()
    bounds = np.searchsorted(rows, np.arange(shape[0] + 1, dtype=np.int32)).astype(np.int32)
    return scipy.sparse.csr_matrix((ones, columns, bounds), shape=shape)


def _split_repeated_votes(votes: Ballots, classes: int) -> None:
    """Where a worker gave one task n different answers, each gets a weight of 1 / n. In place."""
    for _, chunk in chunks(votes):
        people = chunk.indices // classes
        repeats = np.flatnonzero(people[1:] == people[:-1]) + 1
        # The last vote on one task and the first on the next may be the same worker's: no repeat.
        repeats = repeats[chunk.indptr[np.searchsorted(chunk.indptr, repeats)] != repeats]
        begins = np.diff(repeats, prepend=-1) > 1
        run = np.cumsum(begins) - 1
        number = np.bincount(run) + 1
        chunk.data[repeats[begins] - 1] /= number
        chunk.data[repeats] /= number[run]


def chunks(votes: Ballots, size: int = CHUNK) -> Iterator[tuple[slice, Ballots]]:
    """The votes of `size` tasks at a time, with the slice of these tasks. They share memory with `votes`."""
    for start in range(0, max(votes.shape[0], 1), size):
        part = slice(start, start + size)
        yield part, votes if votes.shape[0] <= size else _part(votes, part)


def _part(votes: Ballots, part: slice) -> Ballots:
    bounds = votes.indptr[part.start : part.stop + 1]
    inside = slice(bounds[0], bounds[-1])
    chunk = scipy.sparse.csr_matrix((bounds.size - 1, votes.shape[1]), dtype=votes.dtype)
    # The constructor would copy these arrays.
    chunk.data, chunk.indices, chunk.indptr = votes.data[inside], votes.indices[inside], bounds - bounds[0]
    return chunk


def tally(votes: Ballots, classes: int) -> Floats:
    """The number of votes for each class on each task: (tasks, classes)."""
    crowd = votes.shape[1] // classes
    return np.asarray(votes @ np.tile(np.eye(classes, dtype=np.float32), (crowd, 1)))


def confusion_counts(votes: Ballots, weights: Floats, classes: int) -> Floats:
    """How often each worker gave each answer, summed over tasks by `weights` (tasks, columns).

    Shape (workers, columns, classes). With a posterior as `weights`, expected confusion matrices in votes.
    """
    counts = np.asarray(votes.T @ weights)
    return counts.reshape(-1, classes, weights.shape[1]).transpose(0, 2, 1)


def log_likelihoods(votes: Ballots, matrices: Floats) -> Floats:
    """Log-likelihoods (tasks, columns) of each task's votes, given `matrices` (workers, columns, classes)."""
    columns = matrices.shape[1]
    evidence = np.log(matrices).transpose(0, 2, 1).reshape(-1, columns)
    return np.asarray(votes @ np.ascontiguousarray(evidence))


def softmax(scores: Floats) -> Floats:
    """Each row's scores (natural logarithms) as probabilities, in place."""
    scores -= row_max(scores)[:, None]
    np.exp(scores, out=scores)
    scores /= row_sums(scores)[:, None]
    return scores


def with_known(posterior: Floats, known: Integers | None) -> Floats:
    """The posterior with certainty for each task whose class is `known` (else -1), in place."""
    if known is not None:
        certain = np.flatnonzero(known >= 0)
        posterior[certain] = 0
        posterior[certain, known[certain]] = 1
    return posterior


def row_max(scores: Floats) -> Floats:
    """`scores.max(1)`, column by column: many times faster for few columns."""
    most = scores[:, 0].copy()
    for column in scores.T[1:]:
        np.maximum(most, column, out=most)
    return most


def row_sums(values: Floats) -> Floats:
    """`values.sum(1)`, many times faster for few columns, and without BLAS, which would wake every core."""
    return np.asarray(np.einsum("tk->t", values))

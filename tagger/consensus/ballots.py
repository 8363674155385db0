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
CHUNK = 1 << 17


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
    rows = tasks.astype(np.int32, copy=False)
    ones = np.ones(columns.size, np.float32)
    votes = scipy.sparse.coo_matrix((ones, (rows, columns)), shape=(number, crowd * classes)).tocsr()
    votes.sum_duplicates()
    votes.data[:] = 1
    _share_second_thoughts(votes, classes)
    return votes


def _share_second_thoughts(votes: Ballots, classes: int) -> None:
    for start in range(0, votes.shape[0], CHUNK):
        bounds = votes.indptr[start : start + CHUNK + 1]
        part = slice(bounds[0], bounds[-1])
        people = votes.indices[part] // classes
        first = np.ones(people.size, bool)
        np.not_equal(people[1:], people[:-1], out=first[1:])
        opens = bounds[:-1] - bounds[0]
        first[opens[opens < people.size]] = True
        if not first.all():
            run = np.cumsum(first) - 1
            votes.data[part] /= np.bincount(run)[run]


def chunks(votes: Ballots, size: int = CHUNK) -> Iterator[tuple[slice, Ballots]]:
    """The votes of some tasks at a time, and which tasks these are."""
    for start in range(0, max(votes.shape[0], 1), size):
        part = slice(start, start + size)
        yield part, votes if votes.shape[0] <= size else votes[part]


def answers_of(votes: Ballots, classes: int) -> Floats:
    """How many votes each task has for each class: (tasks, classes)."""
    crowd = votes.shape[1] // classes
    return np.asarray(votes @ np.tile(np.eye(classes, dtype=np.float32), (crowd, 1)))


def count(votes: Ballots, weights: Floats, classes: int) -> Floats:
    """How often each worker answered what where: (workers, columns of the weights, classes)."""
    counts = np.zeros((votes.shape[1], weights.shape[1]), weights.dtype)
    for part, some in chunks(votes):
        counts += some.T @ weights[part]
    return counts.reshape(-1, classes, weights.shape[1]).transpose(0, 2, 1)


def weigh(votes: Ballots, matrices: Floats) -> Floats:
    """The log-likelihood of each task's votes under (workers, columns, classes): (tasks, columns)."""
    columns = matrices.shape[1]
    evidence = np.log(matrices).transpose(0, 2, 1).reshape(-1, columns)
    return np.asarray(votes @ np.ascontiguousarray(evidence))


def normalised(scores: Floats) -> Floats:
    """Scores in logarithms to probabilities, row by row and in place."""
    most = largest(scores)
    for column in scores.T:
        column -= most
    np.exp(scores, out=scores)
    total = scores @ np.ones(scores.shape[1], scores.dtype)
    for column in scores.T:
        column /= total
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

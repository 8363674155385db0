"""The votes of a crowd, from a CSV file with the columns task, worker and one with the answers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .blocks import ignore
from .columns import Column, Field, Indices, Names, read

Numbers = NDArray[np.signedinteger]


@dataclass(frozen=True)
class Votes:
    """The different votes of so many rows, in order of task, worker, answer, numbered by their code points.

    So the same votes come to the same arrays, in whatever order their rows stood and however often. A worker
    who gave one task several answers has a vote for each; what they are worth is the engine's business.
    """

    rows: int
    tasks: Numbers
    workers: Numbers
    answers: Numbers
    task_names: Names
    worker_names: Names
    answer_names: Names

    @cached_property
    def task_sizes(self) -> Indices:
        """How many people answered each task."""
        return _count(self.tasks[self._people], self.task_names)

    @cached_property
    def worker_sizes(self) -> Indices:
        """How many tasks each worker answered."""
        return _count(self.workers[self._people], self.worker_names)

    @property
    def _people(self) -> NDArray[np.bool_]:
        """Marks the first vote of each worker on each task."""
        return _firsts(self.tasks) | _firsts(self.workers)

    @property
    def second_answers(self) -> int:
        """How many votes are another answer of the same worker to the same task."""
        return len(self.tasks) - int(self._people.sum())


def read_votes(path: Path, answer: Field, progress: Callable[[int], object] = ignore) -> Votes:
    """Raises what `columns.read` raises."""
    return distinct(*read(path, [Field("task"), Field("worker"), answer], progress))


def distinct(tasks: Column, workers: Column, answers: Column) -> Votes:
    """The different ones of these rows."""
    columns = [tasks, workers, answers]
    sizes = [len(column.names.values) for column in columns]
    numbers = [column.names.ranks[column.indices] for column in columns]
    fits = sizes[0] * sizes[1] * sizes[2] < 2**63
    kept = _distinct_by_key(numbers, sizes) if fits else _distinct_by_order(numbers)
    return Votes(len(tasks.indices), *kept, tasks.names, workers.names, answers.names)


def _distinct_by_key(numbers: Sequence[Indices], sizes: Sequence[int]) -> tuple[Numbers, Numbers, Numbers]:
    # One number for the three of them sorts five times as fast as they do together.
    key = numbers[0].astype(np.int64)
    for number, size in zip(numbers[1:], sizes[1:], strict=True):
        key *= size
        key += number
    key.sort()
    key = key[_firsts(key)]
    answers = _compact(key % sizes[2], sizes[2])
    key //= sizes[2]
    return _compact(key // sizes[1], sizes[0]), _compact(key % sizes[1], sizes[1]), answers


def _distinct_by_order(numbers: Sequence[Indices]) -> tuple[Numbers, Numbers, Numbers]:
    order = np.lexsort(numbers[::-1])
    tasks, workers, answers = (number[order] for number in numbers)
    kept = _firsts(tasks) | _firsts(workers) | _firsts(answers)
    return tasks[kept], workers[kept], answers[kept]


def _compact(numbers: NDArray[np.int64], size: int) -> Numbers:
    """In the smallest signed type that will do."""
    return numbers.astype(np.min_scalar_type(-size))


def _count(numbers: Numbers, names: Names) -> Indices:
    return np.bincount(numbers, minlength=len(names.values)).astype(np.int32)


def _firsts(values: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Marks each that is another than the one before."""
    marks = np.ones(len(values), bool)
    np.not_equal(values[1:], values[:-1], out=marks[1:])
    return marks

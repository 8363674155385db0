"""What a table of votes comes to: the consensus engine on arrays, without a database."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from . import labels, transcripts
from .tables.columns import Indices, Names
from .tables.drafts import decimals, lines, whole_numbers
from .tables.votes import Votes
from .verdict import Vote

# Cells of the engine's tables: of every worker's matrix, and of every task's probabilities.
MOST_CELLS = 200_000_000

ROWS_AT_ONCE = 100_000


class TooManyLabels(ValueError):
    """More different labels than can be weighed; most likely they are no labels."""


@dataclass(frozen=True)
class Agreed:
    """By code points of the names: each task's answer and how sure it is, and each worker's reliability."""

    answers: pa.StringArray
    confidences: NDArray[np.floating]
    reliabilities: NDArray[np.floating]


def agree_on_labels(votes: Votes) -> Agreed:
    """Of equally likely labels (to six places) the first by code points, with the probability that it has."""
    names = votes.answer_names.sorted()
    tasks, workers, classes = len(votes.task_names.values), len(votes.worker_names.values), len(names)
    if max(tasks, workers * classes) * classes > MOST_CELLS:
        raise TooManyLabels(f"{classes} different labels by {workers} workers cannot be weighed")
    found = labels.fit(votes.tasks, votes.workers, votes.answers, classes)
    leaders, confidences = _leaders(found.posterior)
    return Agreed(names.take(pa.array(leaders)), confidences, found.reliability)


def _leaders(posterior: NDArray[np.floating]) -> tuple[NDArray[np.int64], NDArray[np.floating]]:
    leaders = np.empty(len(posterior), np.int64)
    for start in range(0, len(posterior), ROWS_AT_ONCE):
        part = slice(start, start + ROWS_AT_ONCE)
        leaders[part] = np.round(posterior[part], 6).argmax(1)
    return leaders, posterior[np.arange(len(posterior)), leaders]


def agree_on_transcripts(votes: Votes) -> Agreed:
    texts = votes.answer_names.sorted().to_pylist()
    cast = [
        Vote(worker, texts[answer])
        for worker, answer in zip(votes.workers.tolist(), votes.answers.tolist(), strict=True)
    ]
    ends = np.cumsum(np.bincount(votes.tasks, minlength=len(votes.task_names.values))).tolist()
    found = transcripts.fit([cast[start:end] for start, end in zip([0, *ends], ends, strict=False)])
    workers = range(len(votes.worker_names.values))
    return Agreed(
        pa.array(found.texts, pa.string()),
        np.asarray(found.confidences, np.float64),
        np.array([found.crowd.reliability(worker) for worker in workers], np.float64),
    )


def write_answers(file: BinaryIO, kind: str, votes: Votes, agreed: Agreed) -> None:
    """One row a task, in order of first appearance."""
    file.write(f"task,{kind},confidence,n\n".encode())
    for names, order in _portions(votes.task_names):
        answers = agreed.answers.take(pa.array(order))
        numbers = [decimals(agreed.confidences[order]), whole_numbers(votes.task_sizes[order])]
        file.write(lines([names, answers, *numbers]))


def write_reliabilities(file: BinaryIO, votes: Votes, agreed: Agreed) -> None:
    """One row a worker, in order of first appearance."""
    file.write(b"worker,reliability,n\n")
    for names, order in _portions(votes.worker_names):
        numbers = [decimals(agreed.reliabilities[order]), whole_numbers(votes.worker_sizes[order])]
        file.write(lines([names, *numbers]))


def _portions(names: Names) -> Iterator[tuple[pa.StringArray, Indices]]:
    for start in range(0, len(names.values), ROWS_AT_ONCE):
        yield names.values.slice(start, ROWS_AT_ONCE), names.ranks[start : start + ROWS_AT_ONCE]

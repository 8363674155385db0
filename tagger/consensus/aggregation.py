"""The consensus engine on a table of votes, without a database: what `manage.py aggregate` runs."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from . import labels, transcripts
from .tables.columns import Indices, Names
from .tables.output import decimals, lines, whole_numbers
from .tables.votes import Votes
from .verdict import Vote

# The most numbers in all workers' matrices, or in all tasks' probabilities.
MAX_CELLS = 200_000_000

CHUNK_ROWS = 100_000


class TooManyLabels(ValueError):
    """There are too many different labels to compare; most likely they are not labels."""


@dataclass(frozen=True)
class Aggregated:
    """What the engine made of a table.

    `answers` and `confidences` (tasks,), `reliabilities` (workers,); tasks and workers are in the order of
    their names' code points, confidences and reliabilities from 0 to 1. `language`: the code of the one in
    which texts were compared, "" if it is not known.
    """

    answers: pa.StringArray
    confidences: NDArray[np.floating]
    reliabilities: NDArray[np.floating]
    language: str = ""


def aggregate_labels(votes: Votes) -> Aggregated:
    """The likeliest label of each task and its probability.

    Labels that are equally likely, to six decimals, are a tie: the first by code points is taken.
    Raises TooManyLabels.
    """
    names = votes.answer_names.sorted()
    tasks, workers, classes = len(votes.task_names.values), len(votes.worker_names.values), len(names)
    if max(tasks, workers * classes) * classes > MAX_CELLS:
        raise TooManyLabels(f"{classes} different labels by {workers} workers are too many")
    found = labels.fit(votes.tasks, votes.workers, votes.answers, classes)
    leaders, confidences = _leaders(found.posterior)
    return Aggregated(names.take(pa.array(leaders)), confidences, found.reliability)


def _leaders(posterior: NDArray[np.floating]) -> tuple[NDArray[np.int64], NDArray[np.floating]]:
    leaders = np.empty(len(posterior), np.int64)
    for start in range(0, len(posterior), CHUNK_ROWS):
        part = slice(start, start + CHUNK_ROWS)
        leaders[part] = np.round(posterior[part], 6).argmax(1)
    return leaders, posterior[np.arange(len(posterior)), leaders]


def aggregate_transcripts(votes: Votes, language: str | None = None) -> Aggregated:
    """The likeliest text of each task, in normal form, and the expected share of its right words.

    `language`: its code, guessed from the words if not given.
    """
    texts = votes.answer_names.sorted().to_pylist()
    cast = [
        Vote(worker, texts[answer])
        for worker, answer in zip(votes.workers.tolist(), votes.answers.tolist(), strict=True)
    ]
    ends = np.cumsum(np.bincount(votes.tasks, minlength=len(votes.task_names.values))).tolist()
    by_task = [cast[start:end] for start, end in zip([0, *ends], ends, strict=False)]
    found = transcripts.fit(by_task, language=language)
    workers = range(len(votes.worker_names.values))
    return Aggregated(
        pa.array(found.texts, pa.string()),
        np.asarray(found.confidences, np.float64),
        np.array([found.crowd.reliability(worker) for worker in workers], np.float64),
        found.crowd.language,
    )


def write_answers(file: BinaryIO, kind: str, votes: Votes, aggregated: Aggregated) -> None:
    """CSV with one row per task, in order of first appearance: task, label or text, confidence, n."""
    file.write(f"task,{kind},confidence,n\n".encode())
    for names, order in _chunks(votes.task_names):
        answers = aggregated.answers.take(pa.array(order))
        numbers = [decimals(aggregated.confidences[order]), whole_numbers(votes.task_sizes[order])]
        file.write(lines([names, answers, *numbers]))


def write_reliabilities(file: BinaryIO, votes: Votes, aggregated: Aggregated) -> None:
    """CSV with one row per worker, in order of first appearance: worker, reliability, n."""
    file.write(b"worker,reliability,n\n")
    for names, order in _chunks(votes.worker_names):
        numbers = [decimals(aggregated.reliabilities[order]), whole_numbers(votes.worker_sizes[order])]
        file.write(lines([names, *numbers]))


def _chunks(names: Names) -> Iterator[tuple[pa.StringArray, Indices]]:
    """Names in order of first appearance, with their ranks by code points, `CHUNK_ROWS` at a time."""
    for start in range(0, len(names.values), CHUNK_ROWS):
        yield names.values.slice(start, CHUNK_ROWS), names.ranks[start : start + CHUNK_ROWS]

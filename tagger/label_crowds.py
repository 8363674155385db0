"""Learn how the annotators of one language label, from the database."""

from collections.abc import Iterator
from itertools import chain, islice
from typing import Any

import numpy as np
import numpy.typing as npt
from django.db.models import Case, F, IntegerField, Q, QuerySet, Value, When

from datasets.models import Annotation, Label, Task

from . import controls
from .consensus import labels
from .consensus.ballots import ballots
from .learning import Learned

AT_ONCE = 20_000

Integers = npt.NDArray[np.int64]


def learn(kind: str, language: str, hurried: dict[int, float]) -> Learned:
    """Memory: 24 bytes an annotation, besides what the engine takes."""
    given = Annotation.objects.filter(task__campaign__kind=kind, task__campaign__language=language)
    votes = _columns(given.values_list("task", "annotator", _number("plain_answer")))
    task_ids, tasks = np.unique(votes[:, 0], return_inverse=True)
    annotators, workers = np.unique(votes[:, 1], return_inverse=True)
    names, answers = annotators.tolist(), votes[:, 2]
    size = len(task_ids), len(names), len(Label.values)
    fit = labels.fit(
        tasks,
        workers,
        answers,
        len(Label.values),
        known=_known(task_ids, kind, language),
        # Not all of what is hurried is worthless, and how right it is shows in the votes themselves.
        trust=np.array([1 - hurried.get(who, 0.0) / 2 for who in names]),
    )
    crowd = fit.crowd(Label.values, names)
    shared = crowd.as_json([])
    del shared["skills"]
    return Learned(
        shared,
        {who: crowd.skills[who] for who in names},
        dict(zip(names, fit.reliability.tolist(), strict=True)),
        dict(zip(names, np.bincount(workers, minlength=len(names)).tolist(), strict=True)),
        # By what settling will say, from the same matrices: or else some would be marked at each refit.
        set(_changed(task_ids, fit.decided(ballots(tasks, workers, answers, size)), kind, language)),
    )


def _known(task_ids: Integers, kind: str, language: str) -> Integers:
    """The class of each task that is known, -1 for the others: controls, and reviewers' decisions."""
    known = np.full(len(task_ids), -1)
    decided = Task.objects.filter(adjudicated=True, campaign__kind=kind, campaign__language=language)
    sure, answer = controls.known(kind, language), _number("plain_answer")
    # A reviewer's word comes last, and so it stands.
    for task, label in chain(sure.values_list("task", answer), decided.values_list("pk", answer)):
        place = _place(task_ids, task)
        if place is not None:
            known[place] = label
    return known


def _changed(task_ids: Integers, posterior: Any, kind: str, language: str) -> Iterator[int]:
    tasks = Task.objects.filter(
        campaign__kind=kind,
        campaign__language=language,
        adjudicated=False,
        annotation_count__gte=F("campaign__min_annotations"),
    )
    rows = tasks.values_list("pk", "status", _number("plain_answer"), "campaign__confidence")
    for task, status, answer, confidence in rows.iterator(chunk_size=AT_ONCE):
        place = _place(task_ids, task)
        if place is None:
            continue  # all its answers came after the annotations were read
        leader = int(posterior[place].argmax())
        if status == Task.Status.SETTLED:
            is_changed = leader != answer
        else:
            is_changed = posterior[place, leader] >= confidence
        if is_changed:
            yield task


def _place(task_ids: Integers, task: int) -> int | None:
    place = int(np.searchsorted(task_ids, task))
    return place if place < len(task_ids) and task_ids[place] == task else None


def _columns(rows: QuerySet[Any, tuple[int, int, int]]) -> Integers:
    """Three whole numbers a row, read in pieces."""
    pieces = [np.empty((0, 3), np.int64)]
    stream = rows.iterator(chunk_size=AT_ONCE)
    while some := list(islice(stream, AT_ONCE)):
        pieces.append(np.array(some))
    return np.concatenate(pieces)


def _number(column: str) -> Case:
    """A label as its place among the labels; -1 for none."""
    whens = [When(Q(**{column: label}), then=Value(place)) for place, label in enumerate(Label.values)]
    return Case(*whens, default=Value(-1), output_field=IntegerField())

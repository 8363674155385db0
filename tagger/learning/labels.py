"""Learn how the annotators of one language label, from the database."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt
from django.db.models import Case, Count, F, IntegerField, Q, QuerySet, Value, When

from datasets.models import MOST_SPREAD, Annotation, Label, Task
from tagger.consensus import labels
from tagger.consensus.ballots import Ballots, ballots
from tagger.lending import controls

from .learned import Learned

AT_ONCE = 20_000

Integers = npt.NDArray[np.int64]


# Of more annotations than these a share of the tasks is learned from, drawn by lot: it tells as much.
MOST = 10_000_000


def learn(kind: str, language: str, hurried: dict[int, float]) -> Learned:
    """Memory: 100 bytes an annotation that is learned from, engine included, and of the others nothing."""
    given = Annotation.objects.filter(task__campaign__kind=kind, task__campaign__language=language)
    answers = dict(given.values_list("annotator").annotate(Count("pk")).order_by())
    share = min(1.0, MOST / max(1, sum(answers.values())))
    some = given.filter(task__spread__lt=share * MOST_SPREAD) if share < 1 else given
    annotators, fit = _fit(some, _truth(kind, language), hurried)
    names = annotators.tolist()
    crowd = fit.crowd(Label.values, names)
    shared = crowd.as_json([])
    del shared["skills"]
    return Learned(
        shared,
        {who: crowd.skills[who] for who in names},
        dict(zip(names, fit.reliability.tolist(), strict=True)),
        {who: answers.get(who, 0) for who in names},
        set(_changed(kind, language, fit.with_stranger(), annotators)),
    )


def _fit(
    given: QuerySet[Annotation], truth: dict[int, int], hurried: dict[int, float]
) -> tuple[Integers, labels.LabelFit]:
    """The annotators, in rising order, and what was learned of them."""
    votes = _columns(given.values_list("task", "annotator", _number("plain_answer")))
    task_ids, tasks = np.unique(votes[:, 0], return_inverse=True)
    annotators, workers = np.unique(votes[:, 1], return_inverse=True)
    fit = labels.fit(
        tasks,
        workers,
        votes[:, 2],
        len(Label.values),
        known=np.array([truth.get(task, -1) for task in task_ids.tolist()], np.int64),
        # Not all of what is hurried is worthless, and how right it is shows in the votes themselves.
        trust=np.array([1 - hurried.get(who, 0.0) / 2 for who in annotators.tolist()]),
    )
    return annotators, fit


def _truth(kind: str, language: str) -> dict[int, int]:
    """The class of each task that is known: controls, and reviewers' decisions, whose word stands."""
    decided = Task.objects.filter(adjudicated=True, campaign__kind=kind, campaign__language=language)
    sure, answer = controls.known(kind, language), _number("plain_answer")
    return dict(sure.values_list("task", answer)) | dict(decided.values_list("pk", answer))


def _changed(kind: str, language: str, fit: labels.LabelFit, annotators: Integers) -> Iterator[int]:
    """The tasks of which settling will say something else by now, from the matrices that it will use.

    All tasks of the crowd, some at a time.
    """
    of_crowd = Task.objects.filter(campaign__kind=kind, campaign__language=language, adjudicated=False)
    answered = of_crowd.filter(annotation_count__gte=F("campaign__min_annotations")).order_by("pk")
    columns = ("pk", "status", _number("plain_answer"), "campaign__confidence")
    last = 0
    while rows := list(answered.filter(pk__gt=last).values_list(*columns)[:AT_ONCE]):
        last = rows[-1][0]
        posterior = fit.decision_posterior(_votes([row[0] for row in rows], annotators))
        for (task, status, answer, confidence), likely in zip(rows, posterior, strict=True):
            leader = int(likely.argmax())
            is_settled = status == Task.Status.SETTLED
            if leader != answer if is_settled else likely[leader] >= confidence:
                yield task


def _votes(task_ids: list[int], annotators: Integers) -> Ballots:
    """All votes on these tasks, which are in rising order; who was not learned from stands last."""
    given = Annotation.objects.filter(task__in=task_ids)
    votes = _columns(given.values_list("task", "annotator", _number("plain_answer")))
    places = np.searchsorted(annotators, votes[:, 1])
    known = annotators[np.minimum(places, len(annotators) - 1)] == votes[:, 1]
    workers = np.where(known, places, len(annotators))
    size = len(task_ids), len(annotators) + 1, len(Label.values)
    return ballots(np.searchsorted(task_ids, votes[:, 0]), workers, votes[:, 2], size)


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

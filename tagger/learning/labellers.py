"""Learn from the database how well each annotator of a crowd labels."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt
from django.db.models import Case, Count, F, IntegerField, Q, QuerySet, Value, When
from django.db.models.functions import Least

from datasets.models import MAX_SPREAD, Annotation, Label, Task
from tagger.consensus import labels
from tagger.consensus.ballots import Ballots, Floats, ballots
from tagger.consensus.label_crowd import DECIMALS
from tagger.consensus.verdict import RISE
from tagger.lending import controls
from tagger.settling import engine

from . import changes, kept
from .learned import Learned

BATCH_SIZE = 20_000

Integers = npt.NDArray[np.int64]


# A larger crowd is learned from a random sample of its tasks, which is enough.
MAX_ANNOTATIONS = 10_000_000


def learn(kind: str, language: str, too_fast: dict[int, float]) -> Learned:
    """`too_fast`: each annotator's share of answers that came too fast.

    Memory: 100 bytes for each annotation that is learned from, including the engine; none for the others.
    """
    given = Annotation.objects.filter(task__campaign__kind=kind, task__campaign__language=language)
    answers = dict(given.values_list("annotator").annotate(Count("pk")).order_by())
    share = min(1.0, MAX_ANNOTATIONS / max(1, sum(answers.values())))
    sample = given.filter(task__spread__lt=share * MAX_SPREAD) if share < 1 else given
    voters, fit = _fit(sample, _truth(kind, language), too_fast)
    names = voters.tolist()
    people = [who for who in names if not kept.is_pool(who)]
    crowd = fit.crowd(Label.values, names)
    shared = crowd.as_json([])
    del shared["skills"]
    scores = dict(zip(names, fit.reliability.tolist(), strict=True))
    return Learned(
        shared,
        {who: crowd.skills[who] for who in people},
        {who: scores[who] for who in people},
        {who: answers.get(who, 0) for who in people},
        _changed(kind, language, _as_settled(kind, fit, names), voters),
    )


def _as_settled(kind: str, fit: labels.LabelFit, names: list[int]) -> labels.LabelFit:
    """The fit by which settling weighs: rounded, with fixed matrices for kept answers, and a stranger's."""
    matrices, pooled = _rounded(fit.matrices), _rounded(fit.pooled)
    for place, who in enumerate(names):
        if kept.is_pool(who):
            skill = engine.kept_skill(kind, kept.weight(who))
            matrices[place] = pooled if skill is None else skill
    prior = np.round(fit.prior, DECIMALS)
    return replace(fit, matrices=matrices, pooled=pooled, prior=prior).with_stranger()


def _rounded(matrices: Floats) -> Floats:
    """As `label_crowd.rounded`: a confidence that is close to its goal must come to the same side of it."""
    return np.maximum(np.round(matrices, DECIMALS), 10**-DECIMALS).astype(matrices.dtype)


def _fit(
    given: QuerySet[Annotation], truth: dict[int, int], too_fast: dict[int, float]
) -> tuple[Integers, labels.LabelFit]:
    """The voters' numbers, ascending, and the fit in that order."""
    votes = _read(given)
    task_ids, tasks = np.unique(votes[:, 0], return_inverse=True)
    voters, workers = np.unique(votes[:, 1], return_inverse=True)
    fit = labels.fit(
        tasks,
        workers,
        votes[:, 2],
        len(Label.values),
        known=np.array([truth.get(task, -1) for task in task_ids.tolist()], np.int64),
        # A fast answer is not worthless, and how often it is right shows in the votes themselves.
        trust=np.array([1 - too_fast.get(who, 0.0) / 2 for who in voters.tolist()]),
    )
    return voters, fit


def _truth(kind: str, language: str) -> dict[int, int]:
    """The label of each task that is known: trusted controls and, before them, reviewers' decisions."""
    decided = Task.objects.filter(adjudicated=True, campaign__kind=kind, campaign__language=language)
    trusted, answer = controls.trusted(kind, language), _number("plain_answer")
    return dict(trusted.values_list("task", answer)) | dict(decided.values_list("pk", answer))


def _changed(kind: str, language: str, fit: labels.LabelFit, voters: Integers) -> Iterator[int]:
    """The tasks of the crowd whose verdict or confidence changes, by the same matrices that settling uses.

    They are read 20,000 at a time. Those with answers that owners weigh differently follow if others change.
    """
    weighed, are_any = changes.weighed_by_owners(kind, language), False
    tasks = changes.comparable(kind, language).order_by("pk")
    columns = ("pk", "confidence", _goal(), _settled_as())
    last = 0
    while rows := list(tasks.filter(pk__gt=last).values_list(*columns)[:BATCH_SIZE]):
        last = rows[-1][0]
        pks, before, goals, answers = (np.array(column) for column in zip(*rows, strict=True))
        posterior = fit.decision_posterior(_votes([row[0] for row in rows], voters))
        now = np.round(posterior.max(axis=1).astype(np.float64), DECIMALS)
        is_other = (answers >= 0) & (posterior.argmax(axis=1) != answers)
        found = pks[changes.matters(before, now, goals) | is_other].tolist()
        are_any = are_any or any(task not in weighed for task in found)
        yield from (task for task in found if task not in weighed)
    if are_any:
        yield from sorted(weighed)


def _goal() -> Case:
    """As `changes.goal`, in the database: one number a task."""
    sure = F("campaign__confidence")
    fell = Q(fell_with__gt=0, fell_with=F("annotation_count"))
    return Case(When(fell, then=sure + Least(Value(RISE), (1 - sure) / 2)), default=sure)


def _settled_as() -> Case:
    """The answer that settling could change, as its index among the labels; -1 for none."""
    is_settled = Q(status=Task.Status.SETTLED, adjudicated=False)
    return Case(When(is_settled, then=_number("plain_answer")), default=Value(-1))


def _votes(task_ids: list[int], voters: Integers) -> Ballots:
    """All votes on these tasks, whose ids ascend. Voters not learned from share the last index."""
    votes = _read(Annotation.objects.filter(task__in=task_ids))
    places = np.searchsorted(voters, votes[:, 1])
    known = voters[np.minimum(places, len(voters) - 1)] == votes[:, 1]
    workers = np.where(known, places, len(voters))
    size = len(task_ids), len(voters) + 1, len(Label.values)
    return ballots(np.searchsorted(task_ids, votes[:, 0]), workers, votes[:, 2], size)


def _read(given: QuerySet[Annotation]) -> Integers:
    """An array of (task, voter, label) for each answer. Kept answers are their pools'."""
    label = _number("plain_answer")
    of_people = given.filter(annotator__isnull=False).values_list("task", "annotator", label)
    pooled = kept.with_pools(given.filter(annotator=None)).values_list("task", "pool", label)
    return np.concatenate([_columns(of_people), _columns(pooled)])


def _columns(rows: QuerySet[Any, tuple[int, int, int]]) -> Integers:
    """An array of three integers for each row, read in batches."""
    batches = [np.empty((0, 3), np.int64)]
    stream = rows.iterator(chunk_size=BATCH_SIZE)
    while batch := list(islice(stream, BATCH_SIZE)):
        batches.append(np.array(batch))
    return np.concatenate(batches)


def _number(column: str) -> Case:
    """A label as its index among the labels; -1 for none."""
    whens = [When(Q(**{column: label}), then=Value(index)) for index, label in enumerate(Label.values)]
    return Case(*whens, default=Value(-1), output_field=IntegerField())

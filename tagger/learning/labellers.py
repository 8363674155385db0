"""Learn from the database how well each annotator of a crowd labels."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from django.db.models import Case, Count, F, IntegerField, Q, QuerySet, Value, When
from django.db.models.functions import Least

from datasets.models import MAX_SPREAD, Annotation, Label, Task
from tagger.consensus import labels
from tagger.consensus.ballots import Ballots, Floats, ballots
from tagger.consensus.label_crowd import DECIMALS
from tagger.consensus.label_levels import CampaignFit, LabelLevels, known_share, share_labels
from tagger.consensus.verdict import RISE
from tagger.lending import controls
from tagger.settling import engine

from . import changes, kept
from .learned import Learned, OfCampaign, all_answers, scores

BATCH_SIZE = 20_000

Integers = npt.NDArray[np.int64]


# A larger crowd is learned from a random sample of its tasks, but no campaign from fewer than the second.
MAX_ANNOTATIONS, LEAST_ANNOTATIONS = 10_000_000, 100_000


def learn(kind: str, language: str, too_fast: dict[int, float]) -> Learned:
    """`too_fast`: each annotator's share of answers that came too fast.

    Memory: 100 bytes for each annotation of the largest campaign that is learned from, including the engine,
    and 1 kB for each person in each campaign.
    """
    given = Annotation.objects.filter(task__campaign__kind=kind, task__campaign__language=language)
    answers = _answers(given)
    if not answers:
        return Learned({}, {}, {}, {}, {}, ())
    share = MAX_ANNOTATIONS / sum(sum(each.values()) for each in answers.values())
    truth = _truth(kind, language)
    fits = {
        campaign: _fit(_sample(given, campaign, share, sum(each.values())), truth, too_fast)
        for campaign, each in answers.items()
    }
    people = np.unique(np.concatenate([found.voters[found.voters >= 0] for found in fits.values()]))
    levels = share_labels([found.among(people) for found in fits.values()], len(people))
    own = {
        campaign: _of_campaign(found.voters, fit, answers[campaign])
        for (campaign, found), fit in zip(fits.items(), levels.campaigns, strict=True)
    }
    crowd = levels.crowd(Label.values, people.tolist())
    shared = crowd.as_json([])
    del shared["skills"]
    whole = all_answers(own)
    # Made when they are asked for: each has the matrices of everyone.
    settled = (
        (campaign, *_as_settled(kind, found.voters, fit, people, levels))
        for (campaign, found), fit in zip(fits.items(), levels.campaigns, strict=True)
    )
    changed = _changed(kind, language, settled)
    skills = {who: crowd.skills[who] for who in people.tolist()}
    return Learned(shared, skills, scores(own, whole), whole, own, changed)


def _answers(given: QuerySet[Annotation]) -> dict[int, dict[int, int]]:
    """How many answers each person gave in each campaign; with no person for those that are kept."""
    found: dict[int, dict[int, int]] = defaultdict(dict)
    counted = given.values_list("task__campaign", "annotator").annotate(Count("pk")).order_by()
    for campaign, who, number in counted:
        found[campaign][who] = number
    return dict(sorted(found.items()))


def _sample(given: QuerySet[Annotation], campaign: int, share: float, number: int) -> QuerySet[Annotation]:
    """All annotations of the campaign, or as many as its crowd allows."""
    own = given.filter(task__campaign=campaign)
    share = max(share, LEAST_ANNOTATIONS / number)
    return own.filter(task__spread__lt=share * MAX_SPREAD) if share < 1 else own


class _Found(NamedTuple):
    """`voters` (workers,): their numbers, ascending, in the order of the workers of `fit`."""

    voters: Integers
    fit: labels.LabelFit
    known: float

    def among(self, people: Integers) -> CampaignFit:
        places = np.searchsorted(people, self.voters)
        return CampaignFit(np.where(self.voters < 0, -1, places), self.fit, self.known)


def _of_campaign(voters: Integers, fit: labels.LabelFit, answers: dict[int, int]) -> OfCampaign:
    names = voters.tolist()
    crowd = fit.crowd(Label.values, names)
    people = [who for who in names if not kept.is_pool(who)]
    scores = dict(zip(names, fit.reliability.tolist(), strict=True))
    shared = crowd.as_json([])
    return OfCampaign(
        {name: shared[name] for name in ("prior", "pooled")},
        {who: crowd.skills[who] for who in people},
        {who: scores[who] for who in people},
        {who: answers.get(who, 0) for who in people},
    )


def _as_settled(
    kind: str, own: Integers, fit: labels.LabelFit, people: Integers, levels: LabelLevels
) -> tuple[Integers, labels.LabelFit]:
    """The fit by which settling weighs, with its voters: rounded, with the matrices of people who have not
    answered in the campaign, fixed ones for kept answers, and a stranger's."""
    elsewhere = np.setdiff1d(people, own)
    matrices = np.concatenate([fit.matrices, levels.matrices[np.searchsorted(people, elsewhere)]])
    voters = np.concatenate([own, elsewhere])
    order = np.argsort(voters)
    matrices, pooled = _rounded(matrices[order]), _rounded(fit.pooled)
    for place, who in enumerate(own[own < 0].tolist()):
        skill = engine.kept_skill(kind, kept.weight(who))
        matrices[place] = pooled if skill is None else skill
    prior = np.round(fit.prior, DECIMALS)
    return voters[order], replace(fit, matrices=matrices, pooled=pooled, prior=prior).with_stranger()


def _rounded(matrices: Floats) -> Floats:
    """As `label_crowd.rounded`: a confidence that is close to its goal must come to the same side of it."""
    return np.maximum(np.round(matrices, DECIMALS), 10**-DECIMALS).astype(matrices.dtype)


def _fit(given: QuerySet[Annotation], truth: dict[int, int], too_fast: dict[int, float]) -> _Found:
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
    # What only tells of single tasks is not needed any more.
    small = replace(fit, posterior=fit.posterior[:0], models=())
    return _Found(voters, small, known_share(tasks, votes[:, 2], len(Label.values)))


def _truth(kind: str, language: str) -> dict[int, int]:
    """The label of each task that is known: trusted controls and, before them, reviewers' decisions."""
    decided = Task.objects.filter(adjudicated=True, campaign__kind=kind, campaign__language=language)
    trusted, answer = controls.trusted(kind, language), _number("plain_answer")
    return dict(trusted.values_list("task", answer)) | dict(decided.values_list("pk", answer))


def _changed(
    kind: str, language: str, settled: Iterable[tuple[int, Integers, labels.LabelFit]]
) -> Iterator[int]:
    """The tasks of the crowd whose verdict or confidence changes, by the same matrices that settling uses.

    Those with answers that owners weigh differently follow if others change.
    """
    weighed, are_any = changes.weighed_by_owners(kind, language), False
    for campaign, voters, fit in settled:
        for found in _changed_in(campaign, changes.comparable(kind, language), voters, fit):
            are_any = are_any or any(task not in weighed for task in found)
            yield from (task for task in found if task not in weighed)
    if are_any:
        yield from sorted(weighed)


def _changed_in(
    campaign: int, comparable: QuerySet[Task], voters: Integers, fit: labels.LabelFit
) -> Iterator[list[int]]:
    """They are read 20,000 at a time."""
    tasks = comparable.filter(campaign=campaign).order_by("pk")
    columns = ("pk", "confidence", _goal(), _settled_as())
    last = 0
    while rows := list(tasks.filter(pk__gt=last).values_list(*columns)[:BATCH_SIZE]):
        last = rows[-1][0]
        pks, before, goals, answers = (np.array(column) for column in zip(*rows, strict=True))
        posterior = fit.decision_posterior(_votes([row[0] for row in rows], voters))
        now = np.round(posterior.max(axis=1).astype(np.float64), DECIMALS)
        is_other = (answers >= 0) & (posterior.argmax(axis=1) != answers)
        yield pks[changes.matters(before, now, goals) | is_other].tolist()


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

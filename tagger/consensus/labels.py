"""Labels to a verdict: how likely each class is, given who voted what and how they err."""

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import fsum, log
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from . import collusion, dawid_skene, kinds, mixtures
from .ballots import (
    Ballots,
    Floats,
    Integers,
    answers_of,
    ballots,
    chunks,
    count,
    fixed,
    largest,
    row_sums,
    weigh,
)
from .dawid_skene import GUESS, SHARE, TAIL
from .mixtures import Mixture
from .verdict import Rule, Verdict, Vote, refuse_repeats

# Rows are true classes, columns answers; each row sums to 1.
Matrix = tuple[tuple[float, ...], ...]

# Models with the share of each.
Models = tuple[tuple[float, Mixture], ...]

# Decimals that a crowd and a verdict are kept at, so that JSON gives the same bytes again.
DECIMALS = 6


@dataclass(frozen=True)
class LabelCrowd:
    """What the last refit learned of one crowd: the class prior, the matrix of who is new, each one's own;
    and the two parameters of `dawid_skene.opinion` that it is to be used with."""

    classes: tuple[str, ...]
    prior: tuple[float, ...]
    pooled: Matrix
    skills: Mapping[Hashable, Matrix]
    tail: float = TAIL
    share: float = SHARE

    @classmethod
    def strangers(cls, classes: Sequence[str]) -> Self:
        """A crowd that nothing is known of."""
        number = len(classes)
        even = (round(1 / max(number, 1), DECIMALS),) * number
        return cls(tuple(classes), even, _rounded(dawid_skene.one_coin(number, GUESS)), {})

    @classmethod
    def from_json(cls, data: dict[str, Any], annotators: Sequence[Hashable]) -> Self:
        """The part of a crowd that `as_json` gave, for the annotators of the same positions."""
        skills = {
            annotator: _tuples(matrix)
            for annotator, matrix in zip(annotators, data["skills"], strict=True)
            if matrix is not None
        }
        return cls(
            classes=tuple(data["classes"]),
            prior=tuple(data["prior"]),
            pooled=_tuples(data["pooled"]),
            skills=skills,
            tail=data["tail"],
            share=data["share"],
        )

    def as_json(self, annotators: Sequence[Hashable]) -> dict[str, Any]:
        """What a decision on these annotators' votes uses: by position, without names; None: a stranger."""
        return {
            "classes": list(self.classes),
            "prior": list(self.prior),
            "pooled": _lists(self.pooled),
            "tail": self.tail,
            "share": self.share,
            "skills": [
                _lists(self.skills[annotator]) if annotator in self.skills else None
                for annotator in annotators
            ],
        }

    def reliability(self, annotator: Hashable) -> float:
        """The share of right answers to expect of an annotator, from 0 to 1."""
        matrix = self.skills.get(annotator, self.pooled)
        return fsum(self.prior[k] * matrix[k][k] for k in range(len(self.classes)))


@dataclass(frozen=True)
class LabelFit:
    """A refit's outcome: `posterior` (tasks, classes), `prior` (classes,), `pooled` (classes, answers),
    `matrices` (workers, classes, answers), `reliability` and `trust` (workers,), and the
    `models` behind it."""

    posterior: Floats
    prior: Floats
    pooled: Floats
    matrices: Floats
    reliability: Floats
    trust: Floats
    models: Models

    def judge(self, votes: Ballots) -> Floats:
        """How likely each class is for each task, (tasks, classes), after these votes by the same workers.

        With few votes on a task it is what `decide` says, with many what the models do.
        """
        answers = answers_of(votes, len(self.prior))
        return self._judged(votes, answers, _likely(votes, answers, self.models))

    def _judged(self, votes: Ballots, answers: Floats, likely: Floats) -> Floats:
        posterior = np.empty_like(likely)
        for part, some in chunks(votes):
            plain = self._plain(some, answers[part])
            posterior[part] = _blend(likely[part], plain, answers[part], FEW)
        return posterior

    def with_stranger(self) -> Self:
        """The same with one more worker, of whom nothing is known: those who were not learned from."""
        return replace(self, matrices=np.concatenate([self.matrices, self.pooled[np.newaxis]]))

    def decided(self, votes: Ballots) -> Floats:
        """What `decide` would say of each task after these votes by the same workers: (tasks, classes)."""
        posterior = np.empty((votes.shape[0], len(self.prior)), np.float32)
        for part, some in chunks(votes):
            posterior[part] = self._plain(some, answers_of(some, len(self.prior)))
        return posterior

    def _plain(self, votes: Ballots, answers: Floats) -> Floats:
        return dawid_skene.opinion(weigh(votes, self.matrices), self.prior, answers)

    def crowd(self, classes: Sequence[str], annotators: Sequence[Hashable]) -> LabelCrowd:
        """The same with names: `annotators` in the order of the workers' numbers."""
        skills = {
            annotator: _rounded(matrix) for annotator, matrix in zip(annotators, self.matrices, strict=True)
        }
        prior = tuple(np.round(self.prior.astype(float), DECIMALS).tolist())
        return LabelCrowd(tuple(classes), prior, _rounded(self.pooled), skills)


def fit(
    tasks: Integers,
    workers: Integers,
    answers: Integers,
    classes: int,
    *,
    known: Integers | None = None,
    trust: Floats | None = None,
) -> LabelFit:
    """Learn a crowd from all of its votes, one a row: numbers from 0 of task, worker and answer (-1: none).

    `known`: a task's class where it is known, else -1. `trust`: the share of each worker's answers that is
    about the clip (1 if not given). Whoever copies others has less of it afterwards, in `LabelFit.trust`.

    Several models say what each task most likely is; by that workers are measured. The posterior is what the
    models and the workers' matrices say together. `decide`, which looks at one task and has the matrices
    alone, agrees with it in the mean and not in each case: it cannot know what kind of task it looks at.

    >>> found = fit(np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]), np.array([0, 0, 1, 1]), classes=2)
    >>> found.posterior.argmax(axis=1).tolist()
    [0, 1]
    """
    size = (_number(tasks, known), _number(workers, trust), classes)
    votes = ballots(tasks, workers, answers, size)
    trusted = np.ones(size[1]) if trust is None else np.asarray(trust, float)
    found = _learn(votes, classes, known, trusted)
    every = kinds.sampled(votes)
    alone = collusion.independence(votes[::every], found.posterior[::every], found.matrices)
    return found if (alone == 1).all() else _learn(votes, classes, known, trusted * alone)


def _learn(votes: Ballots, classes: int, known: Integers | None, trust: Floats) -> LabelFit:
    """A fit by workers' trust as it is given."""
    models = _models(votes, classes, known, trust)
    answers = answers_of(votes, classes)
    likely = _likely(votes, answers, models)
    truth = np.empty_like(likely)
    for part, _ in chunks(votes):
        plain = dawid_skene.shares(answers[part])
        truth[part] = leading(_blend(likely[part], plain, answers[part], PLAIN))
    found = _measure(votes, fixed(truth, known), known, trust, models)
    return replace(found, posterior=fixed(found._judged(votes, answers, likely), known))


def _number(numbers: Integers, told: npt.NDArray[Any] | None) -> int:
    return max(int(numbers.max(initial=-1)) + 1, 0 if told is None else len(told))


def _models(votes: Ballots, classes: int, known: Integers | None, trust: Floats) -> Models:
    """Several models of the crowd, each with its share in what is said of a task: as it foretells votes.

    A very large crowd's models are learned from the votes of every so many tasks, and kinds in one way
    instead of several: where votes are many, pooling matters little.
    """
    every = kinds.sampled(votes)
    sample, told = votes[::every], None if known is None else known[::every]
    poolings = kinds.POOLINGS if every == 1 else kinds.POOLINGS[1:2]
    alone = dawid_skene.independent(sample, classes, told, trust)
    sorts = [kinds.sort_tasks(sample, classes, told, trust, pooling) for pooling in poolings]
    some = sample[:: max(-(-sample.nnz // FORETOLD), 1)]
    foretold = np.mean([model.foretold(some) for model in sorts], axis=0)
    share, rest = mixtures.shares([alone.foretold(some), foretold], PARSIMONY)
    models = ((share, alone), *((rest / len(sorts), model) for model in sorts))
    return models if every == 1 else tuple((part, model) for part, model in models if part >= NEGLIGIBLE)


# That errors are independent is believed until kinds foretell votes better.
PARSIMONY = (0.9, 0.1)
# Votes that are foretold to compare models, if there are more: they have two shares to tell.
FORETOLD = 30_000
# A very large crowd is not asked what it thinks of tasks by a model of so small a share.
NEGLIGIBLE = 0.01


def _likely(votes: Ballots, answers: Floats, models: Models) -> Floats:
    """What the models together, and the plain shares of votes, make of each task: (tasks, classes)."""
    likely = np.empty_like(answers)
    for part, some in chunks(votes):
        likely[part] = DOUBT * dawid_skene.shares(answers[part])
        for share, model in models:
            likely[part] += (1 - DOUBT) * share * model.posterior(some)
    return likely


# How much plain shares count beside the models, which may all be wrong.
DOUBT = 0.1


def _blend(likely: Floats, plain: Floats, answers: Floats, pairs: float) -> Floats:
    """Models are known by how answers go together: they count by the ordered `pairs` of votes of a task."""
    number = row_sums(answers)[:, None]
    weight = number * np.maximum(number - 1, 0)
    return np.asarray((weight * likely + pairs * plain) / (weight + pairs))


# Ordered pairs of votes on a task from which on the models say more of it than its plain shares do, where
# workers are measured by it; and more than the workers' matrices do, where it is judged.
PLAIN = 20
FEW = 5


def _measure(
    votes: Ballots, truth: Floats, known: Integers | None, trust: Floats, models: Models
) -> LabelFit:
    """Everybody's matrix by what the tasks are taken for, `truth` (tasks, classes), and what follows."""
    classes = truth.shape[1]
    # Of n votes on a task each is judged by the other n - 1; where the class is known, by that.
    number = np.diff(votes.indptr)[:, None]
    others = fixed(truth * (1 - 1 / np.maximum(number, 1)).astype(truth.dtype), known)
    # By halves the prior that was learned and an even one: what is rarely voted may be often missed. Who is
    # judged by nobody teaches no prior, and so a lone answer is never overruled by the answers to others.
    prior = (others.sum(0, dtype=np.float64) + 1) ** 0.5
    prior /= prior.sum()
    counts = count(votes, others, classes)
    pooled = dawid_skene.pool(counts)
    matrices = dawid_skene.skills(counts, pooled, trust)
    if votes.nnz > kinds.PRECISE:
        matrices = matrices.astype(np.float32)
    return LabelFit(truth, prior, pooled, matrices, np.einsum("wkk,k->w", matrices, prior), trust, models)


# Classes within this of the leader are tied with it.
TIED = 1e-6


def leading(posterior: Floats) -> Floats:
    """1 where a class leads its task (tasks, classes); leaders that are tied share it."""
    leads = (posterior >= largest(posterior)[:, None] - TIED).astype(posterior.dtype)
    return np.asarray(leads / row_sums(leads)[:, None])


def decide(
    votes: Sequence[Vote], rule: Rule, classes: Sequence[str], crowd: LabelCrowd | None = None
) -> Verdict:
    """The verdict on one task's votes, whatever their order. A tie is never a verdict.

    The confidence is the probability of the leading class. `soft` holds, for each of the classes, the count
    of its `votes`, its `shares` and its `probabilities`. Without a crowd all are strangers.
    Raises ValueError naming an annotator who voted twice or an answer that is none of the classes.

    >>> rule = Rule(least=2, most=5, confidence=0.75)
    >>> decide([Vote("ann", "yes"), Vote("bob", "no")], rule, ["yes", "no"])  # doctest: +ELLIPSIS
    Verdict(outcome=<Outcome.MORE: 'more'>, answer=None, confidence=0.5, soft={...})
    """
    refuse_repeats(votes)
    counts = _count(votes, classes)
    crowd = crowd or strangers(tuple(classes))
    probabilities = posterior(votes, crowd)
    confidence = max(probabilities.values(), default=0.0) if votes else 0.0
    leaders = [answer for answer, probability in probabilities.items() if probability == confidence]
    tied = len(leaders) != 1
    return Verdict(
        outcome=rule.outcome(len(votes), confidence, tied),
        answer=None if tied else leaders[0],
        confidence=confidence,
        soft={
            "votes": counts,
            "shares": {answer: count / max(len(votes), 1) for answer, count in counts.items()},
            "probabilities": probabilities,
        },
    )


def what_if(
    votes: Sequence[Vote], rule: Rule, classes: Sequence[str], crowd: LabelCrowd | None = None
) -> Verdict:
    """The verdict if a stranger now voted against the leading answer, for the likeliest other class.

    >>> votes = [Vote("ann", "yes"), Vote("bob", "yes")]
    >>> what_if(votes, Rule(2, 5, 0.75), ["yes", "no"]).outcome
    <Outcome.MORE: 'more'>
    """
    probabilities = posterior(votes, crowd or strangers(tuple(classes)))
    by_rank = sorted(probabilities, key=lambda answer: -probabilities[answer])
    return decide([*votes, Vote(CONTRARY, by_rank[min(1, len(by_rank) - 1)])], rule, classes, crowd)


# Nobody's name: annotators are numbers or have one.
CONTRARY = ""


@lru_cache(maxsize=64)
def strangers(classes: tuple[str, ...]) -> LabelCrowd:
    """`LabelCrowd.strangers`, kept: the crowd of every decision before the first refit."""
    return LabelCrowd.strangers(classes)


def posterior(votes: Sequence[Vote], crowd: LabelCrowd) -> dict[str, float]:
    """How likely each class is after these votes: `dawid_skene.opinion` on one task."""
    place = {answer: k for k, answer in enumerate(crowd.classes)}
    number = range(len(place))
    cast = [(crowd.skills.get(vote.annotator, crowd.pooled), place[vote.answer]) for vote in votes]
    # fsum is exact, so that the order of the votes cannot show.
    scores = [fsum([log(matrix[k][answer]) for matrix, answer in cast]) for k in number]
    most = max(scores, default=0.0)
    likely = [crowd.prior[k] * (1 + (most - scores[k]) / crowd.tail) ** -crowd.tail for k in number]
    total = fsum(likely)
    counts = Counter(answer for _, answer in cast)
    shares = [(counts[k] + 1 / len(place)) / (len(votes) + 1) for k in number]
    return {
        answer: round((1 - crowd.share) * likely[k] / total + crowd.share * shares[k], DECIMALS)
        for answer, k in place.items()
    }


def _count(votes: Sequence[Vote], classes: Sequence[str]) -> dict[str, int]:
    counts = dict.fromkeys(classes, 0)
    for vote in votes:
        if vote.answer not in counts:
            raise ValueError(f"{vote.answer!r} by annotator {vote.annotator!r} is none of {list(classes)}")
        counts[vote.answer] += 1
    return counts


def _rounded(matrix: Floats) -> Matrix:
    # Never 0: what nobody did yet is still possible.
    return _tuples(np.maximum(np.round(matrix.astype(float), DECIMALS), 10**-DECIMALS).tolist())


def _tuples(matrix: Sequence[Sequence[float]]) -> Matrix:
    return tuple(tuple(row) for row in matrix)


def _lists(matrix: Matrix) -> list[list[float]]:
    return [list(row) for row in matrix]

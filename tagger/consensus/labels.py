"""Labels to a verdict: how likely each class is, given who voted what and how they err."""

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import fsum, log
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from tagger.consensus import collusion, dawid_skene, kinds
from tagger.consensus.ballots import (
    Ballots,
    Floats,
    Integers,
    answers_of,
    ballots,
    chunks,
    count,
    largest,
    weigh,
)
from tagger.consensus.dawid_skene import GUESS, SHARE, TAIL
from tagger.consensus.verdict import Rule, Verdict, Vote, refuse_repeats

# Rows are true classes, columns answers; each row sums to 1.
Matrix = tuple[tuple[float, ...], ...]

# Decimals that a crowd and a verdict are kept at, so that JSON gives the same bytes again.
DECIMALS = 6


@dataclass(frozen=True)
class Crowd:
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
class Fit:
    """A refit's outcome: `posterior` (tasks, classes), `prior` (classes,), `pooled` (classes, answers),
    `matrices` (workers, classes, answers), `reliability` and `trust` (workers,)."""

    posterior: Floats
    prior: Floats
    pooled: Floats
    matrices: Floats
    reliability: Floats
    trust: Floats

    def judge(self, votes: Ballots) -> Floats:
        """How likely each class is for each task, (tasks, classes), after these votes by the same workers."""
        posterior = np.empty((votes.shape[0], len(self.prior)), self.posterior.dtype)
        for part, some in chunks(votes):
            scores, answers = weigh(some, self.matrices), answers_of(some, len(self.prior))
            posterior[part] = dawid_skene.opinion(scores, self.prior, answers)
        return posterior

    def crowd(self, classes: Sequence[str], annotators: Sequence[Hashable]) -> Crowd:
        """The same with names: `annotators` in the order of the workers' numbers."""
        skills = {
            annotator: _rounded(matrix) for annotator, matrix in zip(annotators, self.matrices, strict=True)
        }
        prior = tuple(np.round(self.prior.astype(float), DECIMALS).tolist())
        return Crowd(tuple(classes), prior, _rounded(self.pooled), skills)


def fit(
    tasks: Integers,
    workers: Integers,
    answers: Integers,
    classes: int,
    *,
    known: Integers | None = None,
    trust: Floats | None = None,
) -> Fit:
    """Learn a crowd from all of its votes, one a row: numbers from 0 of task, worker and answer (-1: none).

    `known`: a task's class where it is known, else -1. `trust`: the share of each worker's answers that is
    about the clip (1 if not given). Whoever copies others has less of it afterwards, in `Fit.trust`.

    Tasks are sorted into kinds first, and workers then measured by what each task most likely is. From their
    matrices the posterior follows as in `decide`, so that the two agree.

    >>> found = fit(np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]), np.array([0, 0, 1, 1]), classes=2)
    >>> found.posterior.argmax(axis=1).tolist()
    [0, 1]
    """
    size = (_number(tasks, known), _number(workers, trust), classes)
    votes = ballots(tasks, workers, answers, size)
    trusted = np.ones(size[1]) if trust is None else np.asarray(trust, float)
    truth = _fixed(leading(_likely(votes, classes, known, trusted)), known)
    found = _measure(votes, truth, known, trusted)
    every = kinds.sampled(votes)
    alone = collusion.independence(votes[::every], found.posterior[::every], found.matrices)
    return found if (alone == 1).all() else _measure(votes, truth, known, trusted * alone)


def _number(numbers: Integers, told: npt.NDArray[Any] | None) -> int:
    return max(int(numbers.max(initial=-1)) + 1, 0 if told is None else len(told))


def _likely(votes: Ballots, classes: int, known: Integers | None, trust: Floats) -> Floats:
    """What each task's kind and its plain shares say of it: (tasks, classes).

    A kind is known by how answers go together, so it counts by the pairs of votes of a task.
    """
    answers = answers_of(votes, classes)
    number = answers.sum(1, keepdims=True)
    pairs = np.maximum(number * (number - 1), 0)
    likely = kinds.likely(votes, classes, known, trust)
    likely *= pairs
    likely += PLAIN * dawid_skene.shares(answers)
    likely /= pairs + PLAIN
    return likely


# Ordered pairs of votes on a task from which on its kind says more of it than its plain shares do.
PLAIN = 20


def _measure(votes: Ballots, truth: Floats, known: Integers | None, trust: Floats) -> Fit:
    """Everybody's matrix by what the tasks are taken for, `truth` (tasks, classes), and what follows."""
    classes = truth.shape[1]
    prior = truth.sum(0, dtype=np.float64) + 1
    prior /= prior.sum()
    # Of n votes on a task each is judged by the other n - 1; where the class is known, by that.
    number = np.diff(votes.indptr)[:, None]
    others = truth * (1 - 1 / np.maximum(number, 1)).astype(truth.dtype)
    counts = count(votes, _fixed(others, known), classes)
    pooled = dawid_skene.pool(counts)
    matrices = dawid_skene.skills(counts, pooled, trust)
    found = Fit(truth, prior, pooled, matrices, np.einsum("wkk,k->w", matrices, prior), trust)
    return replace(found, posterior=_fixed(found.judge(votes), known))


# Classes within this of the leader are tied with it.
TIED = 1e-6


def leading(posterior: Floats) -> Floats:
    """1 where a class leads its task (tasks, classes); leaders that are tied share it."""
    leads = (posterior >= largest(posterior)[:, None] - TIED).astype(posterior.dtype)
    return np.asarray(leads / leads.sum(1, keepdims=True))


def _fixed(posterior: Floats, known: Integers | None) -> Floats:
    if known is not None:
        sure = np.flatnonzero(known >= 0)
        posterior[sure] = 0
        posterior[sure, known[sure]] = 1
    return posterior


def decide(votes: Sequence[Vote], rule: Rule, classes: Sequence[str], crowd: Crowd | None = None) -> Verdict:
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


def what_if(votes: Sequence[Vote], rule: Rule, classes: Sequence[str], crowd: Crowd | None = None) -> Verdict:
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
def strangers(classes: tuple[str, ...]) -> Crowd:
    """`Crowd.strangers`, kept: the crowd of every decision before the first refit."""
    return Crowd.strangers(classes)


def posterior(votes: Sequence[Vote], crowd: Crowd) -> dict[str, float]:
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

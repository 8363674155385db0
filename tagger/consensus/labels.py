"""Labels to a verdict: the probability of each class, given who voted what and how they err.

`decide` settles one task from its votes and what is known of the crowd; `fit` learns a crowd from all of its
votes. The model is that of Dawid and Skene, with the changes that `dawid_skene` and `subtypes` explain.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import fsum, log
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from . import collusion, dawid_skene, mixtures, subtypes
from .ballots import (
    Ballots,
    Floats,
    Integers,
    ballots,
    chunks,
    confusion_counts,
    log_likelihoods,
    row_max,
    row_sums,
    softmax,
    tally,
    with_known,
)
from .label_crowd import DECIMALS, LabelCrowd, rounded
from .mixtures import Mixture
from .verdict import Rule, Verdict, Vote, refuse_repeats

# Models with the weight of each in the average.
Models = tuple[tuple[float, Mixture], ...]


@dataclass(frozen=True)
class LabelFit:
    """What `fit` learned of a crowd, by the numbers of tasks, workers and classes.

    `posterior` (tasks, classes): the probability of each class; `seen` (classes,): how many tasks have it;
    `prior` (classes,); `counts` (workers, classes, answers): how often each worker gave which answer;
    `pooled` (classes, answers): the matrix of a stranger; `matrices` (workers, classes, answers);
    `reliability` (workers,): the expected share of right answers; `trust` (workers,): the share of their
    answers that counts; `models`: the mixtures that were averaged.
    """

    posterior: Floats
    seen: Floats
    prior: Floats
    counts: Floats
    pooled: Floats
    matrices: Floats
    reliability: Floats
    trust: Floats
    models: Models

    def posterior_of(self, votes: Ballots) -> Floats:
        """The probability of each class for each task (tasks, classes), given votes by the same workers.

        It is near `decision_posterior` for tasks with few votes, and near the models for tasks with many.
        """
        tallies = tally(votes, len(self.prior))
        return self._posterior_of(votes, tallies, _models_posterior(votes, tallies, self.models))

    def _posterior_of(self, votes: Ballots, tallies: Floats, likely: Floats) -> Floats:
        posterior = np.empty_like(likely)
        for part, chunk in chunks(votes):
            plain = self._matrix_posterior(chunk, tallies[part])
            judged = _blend(likely[part], plain, tallies[part], JUDGING_PAIRS)
            posterior[part] = with_floor(judged, tallies[part])
        return posterior

    def with_stranger(self) -> Self:
        """The same fit with one more worker, who stands for anyone who was not learned from."""
        return replace(self, matrices=np.concatenate([self.matrices, self.pooled[np.newaxis]]))

    def decision_posterior(self, votes: Ballots) -> Floats:
        """The probabilities that `decide` gives each task's votes by the same workers: (tasks, classes)."""
        posterior = np.empty((votes.shape[0], len(self.prior)), np.float32)
        for part, chunk in chunks(votes):
            posterior[part] = self._matrix_posterior(chunk, tally(chunk, len(self.prior)))
        return posterior

    def _matrix_posterior(self, votes: Ballots, tallies: Floats) -> Floats:
        return dawid_skene.posterior(log_likelihoods(votes, self.matrices), self.prior, tallies)

    def crowd(self, classes: Sequence[str], annotators: Sequence[Hashable]) -> LabelCrowd:
        """What was learned, by name: `classes` and `annotators` in the order of their numbers."""
        skills = {
            annotator: rounded(matrix) for annotator, matrix in zip(annotators, self.matrices, strict=True)
        }
        prior = tuple(np.round(self.prior.astype(float), DECIMALS).tolist())
        return LabelCrowd(tuple(classes), prior, rounded(self.pooled), skills)


def fit(
    tasks: Integers,
    workers: Integers,
    answers: Integers,
    classes: int,
    *,
    known: Integers | None = None,
    trust: Floats | None = None,
) -> LabelFit:
    """Learn a crowd from all of its votes.

    `tasks`, `workers` and `answers` hold one row per vote, numbered from 0; an answer of -1 is none. `known`
    (tasks,): a task's class where it is known, else -1. `trust` (workers,): the share of each worker's
    answers that is about the clip, by default 1. Workers who copy others have less of it in `LabelFit.trust`.

    Several mixture models, averaged, estimate the class of each task; the workers' matrices are measured
    against it. The posterior combines the models and the matrices. `decide` sees one task and has only the
    matrices, so it agrees with the posterior on average but not on every task.

    >>> found = fit(np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]), np.array([0, 0, 1, 1]), classes=2)
    >>> found.posterior.argmax(axis=1).tolist()
    [0, 1]
    """
    size = (_number(tasks, known), _number(workers, trust), classes)
    votes = ballots(tasks, workers, answers, size)
    trusted = np.ones(size[1]) if trust is None else np.asarray(trust, float)
    found = _learn(votes, classes, known, trusted)
    step = subtypes.sampling_step(votes)
    independence = collusion.independence(votes[::step], found.posterior[::step], found.matrices)
    return found if (independence == 1).all() else _learn(votes, classes, known, trusted * independence)


def _learn(votes: Ballots, classes: int, known: Integers | None, trust: Floats) -> LabelFit:
    """A fit with the workers' trust as given."""
    models = _models(votes, classes, known, trust)
    tallies = tally(votes, classes)
    likely = _models_posterior(votes, tallies, models)
    truth = np.empty_like(likely)
    for part, _ in chunks(votes):
        plain = dawid_skene.vote_shares(tallies[part])
        measured = _blend(likely[part], plain, tallies[part], MEASURING_PAIRS)
        truth[part] = leading(with_floor(measured, tallies[part]))
    found = _measure(votes, with_known(truth, known), known, trust, models)
    return replace(found, posterior=with_known(found._posterior_of(votes, tallies, likely), known))


def _number(numbers: Integers, given: npt.NDArray[Any] | None) -> int:
    return max(int(numbers.max(initial=-1)) + 1, 0 if given is None else len(given))


def _models(votes: Ballots, classes: int, known: Integers | None, trust: Floats) -> Models:
    """Models of the crowd, each with its weight in the average: by how well it predicts the votes.

    For a very large crowd they are learned from a sample of the tasks, and subtypes with one pooling instead
    of several: with many votes, pooling matters little.
    """
    step = subtypes.sampling_step(votes)
    sample, known_of_sample = votes[::step], None if known is None else known[::step]
    poolings = subtypes.POOLINGS if step == 1 else subtypes.POOLINGS[1:2]
    independent = dawid_skene.learn(sample, classes, known_of_sample, trust)
    correlated = [subtypes.learn(sample, classes, known_of_sample, trust, pooling) for pooling in poolings]
    compared = sample[:: max(-(-sample.nnz // COMPARED_VOTES), 1)]
    predicted = np.mean([model.leave_one_out(compared) for model in correlated], axis=0)
    share, rest = mixtures.stacking_weights([independent.leave_one_out(compared), predicted], PARSIMONY)
    models = ((share, independent), *((rest / len(correlated), model) for model in correlated))
    return models if step == 1 else tuple((part, model) for part, model in models if part >= NEGLIGIBLE)


# Errors are assumed to be independent until subtypes predict the votes better.
PARSIMONY = (0.9, 0.1)
# The most votes that are predicted to compare models: enough to estimate two weights.
COMPARED_VOTES = 30_000
# For a very large crowd, models with less weight than this are dropped.
NEGLIGIBLE = 0.01


def _models_posterior(votes: Ballots, tallies: Floats, models: Models) -> Floats:
    """The average of the models and the plain shares of votes: (tasks, classes)."""
    likely = np.empty_like(tallies)
    for part, chunk in chunks(votes):
        likely[part] = DOUBT * dawid_skene.vote_shares(tallies[part])
        for share, model in models:
            likely[part] += (1 - DOUBT) * share * model.posterior(chunk)
    return likely


# The weight of the plain shares of votes next to the models, which may all be wrong.
DOUBT = 0.1


def _blend(likely: Floats, plain: Floats, tallies: Floats, pairs: float) -> Floats:
    """(n (n - 1) likely + pairs plain) / (n (n - 1) + pairs) for a task of n votes: (tasks, classes).

    What `likely`, the models, know of a task is how its answers go together, so their weight is the number of
    its ordered pairs of votes.
    """
    number = row_sums(tallies)[:, None]
    weight = number * np.maximum(number - 1, 0)
    return np.asarray((weight * likely + pairs * plain) / (weight + pairs))


# The ordered pairs of votes on a task from which the models outweigh its plain vote shares where workers are
# measured, and its posterior by matrices where the task is judged.
MEASURING_PAIRS = 20
JUDGING_PAIRS = 5


# Votes on a task from which the models and the plain votes count the same.
MANY_VOTES = 75


def with_floor(posterior: Floats, tallies: Floats) -> Floats:
    """The posterior (tasks, classes), in which the plain votes count the more, the more there are: n votes
    with the weight n^4 / (n^4 + MANY_VOTES^4).

    Among so many, who is reliable evens out. What the models then still correct is how the classes sound to
    everyone, and votes alone cannot tell that: on such crowds they fall behind plain majority.
    """
    number = row_sums(tallies)
    many = np.flatnonzero(number > MANY_VOTES / 10)
    if many.size:
        votes, weight = tallies[many], 1 / (1 + (MANY_VOTES / number[many, None]) ** 4)
        posterior[many] = (1 - weight) * posterior[many] + weight * _by_votes_alone(votes)
    return posterior


def _by_votes_alone(tallies: Floats) -> Floats:
    """The probabilities if everyone were right alike, with correlated errors on a task: (tasks, classes)."""
    right, others = dawid_skene.DEFAULT_ACCURACY, max(tallies.shape[1] - 1, 1)
    counted = tallies / (1 + dawid_skene.CORRELATION * (row_sums(tallies) - 1))[:, None]
    return softmax(counted * log(right * others / (1 - right)))


def _measure(
    votes: Ballots, truth: Floats, known: Integers | None, trust: Floats, models: Models
) -> LabelFit:
    """The workers' matrices, measured against the estimated `truth` (tasks, classes), and what follows."""
    classes = truth.shape[1]
    # Each of a task's n votes is measured against the other n - 1, or against the class where it is known.
    number = np.diff(votes.indptr)[:, None]
    others = with_known(truth * (1 - 1 / np.maximum(number, 1)).astype(truth.dtype), known)
    # A task's only vote teaches no prior, so that the answers to other tasks never overrule a lone answer.
    seen = others.sum(0, dtype=np.float64)
    prior = flattened(seen + 1)
    counts = confusion_counts(votes, others, classes)
    pooled = dawid_skene.pooled_matrix(counts)
    matrices = dawid_skene.worker_matrices(counts, pooled, trust)
    if votes.nnz > subtypes.PRECISE_VOTES:
        matrices = matrices.astype(np.float32)
    return LabelFit(
        truth, seen, prior, counts, pooled, matrices, expected_right(matrices, prior), trust, models
    )


def flattened(shares: Floats) -> Floats:
    """The prior of these shares of the classes: their geometric mean with a uniform one.

    A class with few votes may be one that is often missed.
    """
    prior = shares**0.5
    return np.asarray(prior / prior.sum())


def expected_right(matrices: Floats, prior: Floats) -> Floats:
    """The expected share of right answers of each worker: (workers,)."""
    return np.asarray(np.einsum("wkk,k->w", matrices, prior))


# Classes with a probability this close to the leader's are tied with it.
TIED = 1e-6


def leading(posterior: Floats) -> Floats:
    """1 for the class that leads its task, else 0: (tasks, classes). n tied leaders get 1 / n each."""
    leads = (posterior >= row_max(posterior)[:, None] - TIED).astype(posterior.dtype)
    return np.asarray(leads / row_sums(leads)[:, None])


def decide(
    votes: Sequence[Vote], rule: Rule, classes: Sequence[str], crowd: LabelCrowd | None = None
) -> Verdict:
    """The verdict on one task's votes; their order does not matter. A tie is never a verdict.

    The confidence is the probability of the leading class. `soft` holds three dictionaries by class: `votes`
    (counts), `shares` (of the votes) and `probabilities`. Without a crowd all annotators are strangers.
    Raises ValueError, naming an annotator who voted twice or an answer that is not one of the classes.

    >>> rule = Rule(least=2, most=5, confidence=0.75)
    >>> decide([Vote("ann", "yes"), Vote("bob", "no")], rule, ["yes", "no"])  # doctest: +ELLIPSIS
    Verdict(outcome=<Outcome.MORE: 'more'>, answer=None, confidence=0.5, soft={...}, withheld=False)
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
    """The verdict after one more vote, by a stranger, for the likeliest class but the leader.

    >>> votes = [Vote("ann", "yes"), Vote("bob", "yes")]
    >>> what_if(votes, Rule(2, 5, 0.75), ["yes", "no"]).outcome
    <Outcome.MORE: 'more'>
    """
    probabilities = posterior(votes, crowd or strangers(tuple(classes)))
    by_rank = sorted(probabilities, key=lambda answer: -probabilities[answer])
    return decide([*votes, Vote(CONTRARY, by_rank[min(1, len(by_rank) - 1)])], rule, classes, crowd)


# The stranger's name in `what_if`: no annotator has it, as annotators are numbers or non-empty names.
CONTRARY = ""


@lru_cache(maxsize=64)
def strangers(classes: tuple[str, ...]) -> LabelCrowd:
    """`LabelCrowd.strangers`, cached: the crowd of every decision before the first refit."""
    return LabelCrowd.strangers(classes)


def posterior(votes: Sequence[Vote], crowd: LabelCrowd) -> dict[str, float]:
    """The probability of each class given these votes: `dawid_skene.posterior` for one task."""
    place = {answer: k for k, answer in enumerate(crowd.classes)}
    number = range(len(place))
    cast = [
        (crowd.skills.get(vote.annotator, crowd.pooled), place[vote.answer], vote.weight) for vote in votes
    ]
    # fsum is exact, so the order of the votes does not matter.
    scores = [fsum([weight * log(matrix[k][answer]) for matrix, answer, weight in cast]) for k in number]
    most = max(scores, default=0.0)
    likely = [crowd.prior[k] * (1 + (most - scores[k]) / crowd.tail) ** -crowd.tail for k in number]
    total = fsum(likely)
    counts = [fsum([weight for _, answer, weight in cast if answer == k]) for k in number]
    shares = [(counts[k] + 1 / len(place)) / (fsum(counts) + 1) for k in number]
    return {
        answer: round((1 - crowd.share) * likely[k] / total + crowd.share * shares[k], DECIMALS)
        for answer, k in place.items()
    }


def _count(votes: Sequence[Vote], classes: Sequence[str]) -> dict[str, int]:
    counts = dict.fromkeys(classes, 0)
    for vote in votes:
        if vote.answer not in counts:
            raise ValueError(f"{vote.answer!r} by annotator {vote.annotator!r} is not one of {list(classes)}")
        counts[vote.answer] += 1
    return counts

"""Replay a crowd's votes, one at a time, to the stopping rule: what stopping early costs and saves."""

import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from . import labels
from .ballots import Floats, Integers, ballots

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Replayed:
    """The figures of one replay; they are the JSON that `manage.py replay` prints.

    `accuracy`: from 0 to 1, over the tasks whose class is known; `votes_per_task`: the mean number of votes
    asked for; `decided`: how many of the `tasks` reached the confidence.
    """

    accuracy: float
    votes_per_task: float
    decided: int
    tasks: int


# Tasks open in this many waves, one per round, as clips arrive over time.
WAVES = 10
# The crowd is refitted when its votes have grown by this share; until then, the last fit decides.
GROWTH = 0.1


def replay(
    tasks: Integers,
    workers: Integers,
    answers: Integers,
    classes: int,
    gold: Integers,
    confidence: float,
    seed: int = 0,
    least: int = 1,
    most: int | None = None,
) -> Replayed:
    """Ask in rounds: every open task that is not decided gets one more vote, then the crowd is refitted.

    `tasks`, `workers` and `answers` hold one row per vote, numbered from 0; `gold` (tasks,): each task's true
    class, or -1 where it is not known. Only the votes given so far are used. The order in which tasks open,
    and that of the votes of a task, are random and depend on `seed` alone.

    A task stops at the confidence, at `most` votes, or when it has none left; only the first counts as
    decided. The accuracy counts the leader of every task, with a tie as the chance to guess right.
    """
    random = np.random.default_rng(seed)
    number = len(gold)
    opens = random.permutation(number) * WAVES // max(number, 1)
    turns, available = _turns(tasks, number, random)
    limit = available if most is None else np.minimum(available, most)
    asked, decided = np.zeros(number, int), np.zeros(number, bool)
    crowd = _Learner(tasks, workers, answers, classes, number)
    for turn in itertools.count():
        wanting = (opens <= turn) & ~decided & (asked < limit)
        if turn >= WAVES and not wanting.any():
            break
        asked += wanting * np.where(asked == 0, np.minimum(least, limit), 1)
        posterior = crowd.posterior(turns < asked[tasks])
        decided = (posterior.max(1) >= confidence) & (asked > 0)
    return Replayed(
        accuracy=_accuracy(posterior, np.where(available > 0, gold, -1)),
        votes_per_task=float(asked[available > 0].mean()) if available.any() else 0.0,
        decided=int(decided.sum()),
        tasks=int((available > 0).sum()),
    )


def _turns(tasks: Integers, number: int, random: np.random.Generator) -> tuple[Integers, Integers]:
    """For each vote, how many of its task come before it (votes,); for each task, its number (tasks,)."""
    order = random.permutation(len(tasks))
    order = order[np.argsort(tasks[order], kind="stable")]
    available = np.bincount(tasks, minlength=number)
    turns = np.empty(len(tasks), int)
    turns[order] = np.arange(len(tasks)) - (np.cumsum(available) - available)[tasks[order]]
    return turns, available


class _Learner:
    """A crowd that is refitted whenever its votes have grown by `GROWTH`."""

    def __init__(
        self, tasks: Integers, workers: Integers, answers: Integers, classes: int, number: int
    ) -> None:
        self.votes = (tasks, workers, answers)
        self.size = (number, int(workers.max(initial=-1)) + 1, classes)
        self.fitted_on = 0

    def posterior(self, given: Mask) -> Floats:
        """The probabilities (tasks, classes), by the votes `given` so far (votes,)."""
        tasks, workers, answers = (part[given] for part in self.votes)
        number, crowd, classes = self.size
        if given.sum() >= self.fitted_on * (1 + GROWTH):
            self.fitted_on = int(given.sum())
            self.fit = labels.fit(
                tasks, workers, answers, classes, known=np.full(number, -1), trust=np.ones(crowd)
            )
        return self.fit.posterior_of(ballots(tasks, workers, answers, self.size))


def _accuracy(posterior: Floats, gold: Integers) -> float:
    judged = np.flatnonzero(gold >= 0)
    leads = labels.leading(posterior[judged])
    return float(leads[np.arange(len(judged)), gold[judged]].mean(dtype=float)) if judged.size else 0.0

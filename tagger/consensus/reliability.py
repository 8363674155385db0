"""How well each annotator transcribes, learned from agreement alone by EM, and the belief in each word.

A noisy channel for every annotator: of the words spoken, they get a share right, leave out a share, and
mishear the rest, as a similar word more likely than as another; and they put in words that no one spoke.
A. P. Dawid and A. M. Skene, Maximum likelihood estimation of observer error-rates using the EM algorithm
(1979), doi:10.2307/2346806, with the confusion matrix of an open vocabulary replaced by the similarity of
characters.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np

from .slots import Floats, Integers, Slots, on_grid, sum_at


class Skill(NamedTuple):
    """An annotator's shares of the spoken words: `right`, `left_out`; and words `put_in` per spoken word."""

    right: float
    left_out: float
    put_in: float


# The skill assumed before anything is known: a careless typist, so that trust has to be earned.
STRANGER = Skill(right=0.82, left_out=0.06, put_in=0.02)

# Pseudo-words of the pool's skill in each annotator's, and of STRANGER in the pool's.
POOL_WEIGHT = 20.0

# Rounds of EM.
ROUNDS = 8

# Natural logarithms. LOG_DISSIMILAR: the chance to mishear a word as one without any similarity, relative to
# an identical one; LOG_INSERTED: that a word put in is the given one; LOG_UNSEEN: LOG_DISSIMILAR for a right
# word that is not among the candidates; LOG_NONE: that it is not among them.
LOG_DISSIMILAR, LOG_INSERTED, LOG_UNSEEN, LOG_NONE = -5.0, -3.0, -6.0, -4.0

# Bounds of the shares in logarithms; of `put_in` from above.
MIN_SHARE, MAX_INSERTED = 1e-4, 0.5


class Belief(NamedTuple):
    """The probability of each candidate (candidates,), and that none in a slot is right (slots,)."""

    candidates: Floats
    none: Floats


@dataclass(frozen=True)
class Evidence:
    """What the votes of slots say regardless of skills: computed once, used in every round.

    `missed` (candidates,): the log chance of the other words of the slot if this candidate is right; `unseen`
    (slots,): the same if none of them is; `closeness`: the similarity of the words in each of `slots.pairs`;
    `known` (slots,): the right candidate, -1 where it is not known.
    """

    slots: Slots
    missed: Floats
    unseen: Floats
    closeness: Floats
    known: Integers

    @classmethod
    def of(cls, slots: Slots, closeness: Floats, known: Integers | None = None) -> "Evidence":
        """The evidence of these slots, with `closeness` from `slots.closeness`."""
        one, other = slots.pairs
        missed = sum_at(on_grid(LOG_DISSIMILAR * slots.votes[other] * (1 - closeness)), one, slots.candidates)
        words = np.where(slots.empty, 0.0, slots.votes)
        unseen = LOG_NONE + LOG_UNSEEN * sum_at(words, slots.slot, slots.count)
        return cls(slots, missed, unseen, closeness, np.full(slots.count, -1) if known is None else known)

    @cached_property
    def closest(self) -> Floats:
        """The similarity of each candidate to the most similar word of its slot: (candidates,)."""
        closest = np.zeros(self.slots.candidates)
        np.maximum.at(closest, self.slots.pairs[0], self.closeness)
        return closest

    def weighed(self, shares: Mapping[tuple[int, int], float], first: int) -> "Evidence":
        """The same with other weights, given by task and annotator; `first` is its first task."""
        slots = self.slots
        tasks = np.repeat(np.arange(first, first + len(slots.voices) - 1), np.diff(slots.voices)).tolist()
        voices = enumerate(zip(tasks, slots.annotator.tolist(), strict=True))
        weight = np.array([shares.get(voice, slots.weight[at]) for at, voice in voices])
        return Evidence.of(replace(slots, weight=weight), self.closeness, self.known)


def believe(evidence: Evidence, skills: Floats) -> Belief:
    """What was spoken in each slot, given `skills` (annotators, 3): rows of right, left out, put in."""
    slots = evidence.slots
    right, left_out, put_in = np.clip(skills, MIN_SHARE, 1 - MIN_SHARE).T
    missed = np.maximum(1 - right - left_out, MIN_SHARE)
    put_in = np.minimum(put_in, MAX_INSERTED)

    def votes(wrote_none: Floats, wrote_word: Floats) -> Floats:
        by_voice = [np.log(share)[slots.annotator] * slots.weight for share in (wrote_word, wrote_none)]
        return np.asarray(on_grid(np.concatenate(by_voice))[slots.cell_action])

    spoken = sum_at(votes(left_out, missed), slots.cell_slot, slots.count)
    nothing = sum_at(votes(1 - put_in, put_in * np.exp(LOG_INSERTED)), slots.cell_slot, slots.count)
    gained = votes(np.ones(len(right)), right / missed)
    own = sum_at(gained, slots.chosen, slots.candidates)
    scores = np.where(slots.empty, nothing[slots.slot], spoken[slots.slot] + own + evidence.missed)
    none = spoken + evidence.unseen
    is_known = evidence.known >= 0
    scores[is_known[slots.slot]] = -np.inf
    scores[evidence.known[is_known]] = 0.0
    none[is_known] = -np.inf
    return normalise(slots, scores, none)


def normalise(slots: Slots, scores: Floats, none: Floats) -> Belief:
    """Scores (natural logarithms) to probabilities that sum to 1 over each slot and its "none of them"."""
    if not slots.count:
        return Belief(scores, none)
    top = np.maximum(np.maximum.reduceat(scores, slots.first[:-1]), none)
    shares, rest = np.exp(scores - top[slots.slot]), np.exp(none - top)
    whole = np.add.reduceat(shares, slots.first[:-1]) + rest
    return Belief(shares / whole[slots.slot], rest / whole)


def count(slots: Slots, belief: Belief, annotators: int) -> Floats:
    """The expected number of words spoken, right, left out and put in: (4, annotators)."""
    likely = on_grid(belief.candidates)
    nothing = sum_at(np.where(slots.empty, likely, 0.0), slots.slot, slots.count)
    silent, tasks = slots.empty_cells, len(slots.voices) - 1
    # Sums on the grid are exact, so what all voices of a task share can be summed once.
    spoken, put_in = (sum_at(each, slots.task, tasks)[slots.voice_task] for each in (1 - nothing, nothing))
    quiet, where = slots.annotator[slots.cell_voice[silent]], slots.cell_slot[silent]
    right = sum_at(np.where(slots.empty, 0.0, likely)[slots.chosen], slots.cell_voice, len(slots.annotator))
    return np.stack(
        [
            sum_at(spoken, slots.annotator, annotators),
            sum_at(right, slots.annotator, annotators),
            sum_at((1 - nothing)[where], quiet, annotators),
            sum_at(put_in, slots.annotator, annotators) - sum_at(nothing[where], quiet, annotators),
        ]
    )


def estimate(counts: Floats) -> Floats:
    """Skills (annotators + 1, 3) from counts (4, annotators), shrunk to the pool's, which is the last row."""
    spoken, shares = counts[0], counts[1:]
    pool = (shares.sum(axis=1) + POOL_WEIGHT * np.array(STRANGER)) / (spoken.sum() + POOL_WEIGHT)
    skills = (shares + POOL_WEIGHT * pool[:, None]) / (spoken + POOL_WEIGHT)
    # Rounded, so that stored skills decide exactly as learned ones.
    return np.round(np.vstack([skills.T, pool]), 6)


def learn(chunks: Sequence[Evidence], annotators: int) -> Floats:
    """The skills (annotators + 1, 3) after `ROUNDS` of EM; the pool's is the last row."""
    skills = np.tile(np.array(STRANGER), (annotators + 1, 1))
    for _ in range(ROUNDS):
        counts = np.zeros((4, annotators))
        for evidence in chunks:
            counts += count(evidence.slots, believe(evidence, skills), annotators)
        skills = estimate(counts)
    return skills

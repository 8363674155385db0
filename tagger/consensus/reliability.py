"""How well each annotator transcribes, learned from agreement alone by EM, and what that says of each word.

A noisy channel for every annotator: of the words spoken they get a share right, leave a share out, and miss
the rest, with a word that is like it more likely than another; and for so many words they put in one that
nobody spoke. A. P. Dawid, A. M. Skene, Maximum likelihood estimation of observer error-rates using the EM
algorithm (1979), doi:10.2307/2346806, with the confusions of an open vocabulary tied by the closeness of
characters.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np

from .slots import Floats, Integers, Slots, on_grid, total


class Skill(NamedTuple):
    """An annotator's shares of the words spoken: `right`, `left_out`; and `put_in`, for each word spoken."""

    right: float
    left_out: float
    put_in: float


# What is known before a crowd is: a careless typist, so that agreement has to be earned.
STRANGER = Skill(right=0.82, left_out=0.06, put_in=0.02)

# So many words of evidence weigh as much as what is known of the whole crowd.
POOL_WEIGHT = 20.0

ROUNDS = 8

# The natural logarithms of the chance that a given word is missed for one that is nothing like it, over the
# chance to write the very same; that the word put in is a given one; that none of the candidates was spoken.
UNLIKE, PUT_IN, UNSEEN, NONE = -5.0, -3.0, -6.0, -4.0

LEAST, MOST = 1e-4, 0.5


class Belief(NamedTuple):
    """The probability of each candidate, and for each slot that none of its candidates is right."""

    candidates: Floats
    none: Floats


@dataclass(frozen=True)
class Evidence:
    """What a slot's votes say whatever the annotators' skills: computed once, weighed in every round."""

    slots: Slots
    missed: Floats  # of each candidate: the log chance of the other words of its slot, were it the right one
    unseen: Floats  # of each slot: the same, were it none of them
    closeness: Floats  # of the words of each pair of candidates
    known: Integers  # of each slot: its right candidate, -1 where nobody told

    @classmethod
    def of(cls, slots: Slots, closeness: Floats, known: Integers | None = None) -> "Evidence":
        one, other = slots.pairs
        missed = total(on_grid(UNLIKE * slots.votes[other] * (1 - closeness)), one, slots.candidates)
        words = np.where(slots.empty, 0.0, slots.votes)
        unseen = NONE + UNSEEN * total(words, slots.slot, slots.count)
        return cls(slots, missed, unseen, closeness, np.full(slots.count, -1) if known is None else known)

    @cached_property
    def closest(self) -> Floats:
        """How alike each candidate is to the word of its slot that is most like it."""
        closest = np.zeros(self.slots.candidates)
        np.maximum.at(closest, self.slots.pairs[0], self.closeness)
        return closest

    def weighed(self, shares: Mapping[tuple[int, int], float], first: int) -> "Evidence":
        """The same with other weights, by the numbers of task and annotator; its tasks begin at `first`."""
        slots = self.slots
        tasks = np.repeat(np.arange(first, first + len(slots.voices) - 1), np.diff(slots.voices)).tolist()
        voices = enumerate(zip(tasks, slots.annotator.tolist(), strict=True))
        weight = np.array([shares.get(voice, slots.weight[at]) for at, voice in voices])
        return Evidence.of(replace(slots, weight=weight), self.closeness, self.known)


def believe(evidence: Evidence, skills: Floats) -> Belief:
    """What was spoken in each slot, given each annotator's skill (a row of right, left out, put in)."""
    slots = evidence.slots
    right, left_out, put_in = np.clip(skills, LEAST, 1 - LEAST).T
    missed = np.maximum(1 - right - left_out, LEAST)
    put_in = np.minimum(put_in, MOST)

    def votes(wrote_none: Floats, wrote_word: Floats) -> Floats:
        by_voice = [np.log(share)[slots.annotator] * slots.weight for share in (wrote_word, wrote_none)]
        return np.asarray(on_grid(np.concatenate(by_voice))[slots.cell_act])

    spoken = total(votes(left_out, missed), slots.cell_slot, slots.count)
    nothing = total(votes(1 - put_in, put_in * np.exp(PUT_IN)), slots.cell_slot, slots.count)
    gained = votes(np.ones(len(right)), right / missed)
    own = total(gained, slots.chosen, slots.candidates)
    scores = np.where(slots.empty, nothing[slots.slot], spoken[slots.slot] + own + evidence.missed)
    none = spoken + evidence.unseen
    told = evidence.known >= 0
    scores[told[slots.slot]] = -np.inf
    scores[evidence.known[told]] = 0.0
    none[told] = -np.inf
    return normalise(slots, scores, none)


def normalise(slots: Slots, scores: Floats, none: Floats) -> Belief:
    """Scores (natural logarithms) to probabilities that sum to 1 over each slot, none of them included."""
    if not slots.count:
        return Belief(scores, none)
    top = np.maximum(np.maximum.reduceat(scores, slots.first[:-1]), none)
    shares, rest = np.exp(scores - top[slots.slot]), np.exp(none - top)
    whole = np.add.reduceat(shares, slots.first[:-1]) + rest
    return Belief(shares / whole[slots.slot], rest / whole)


def count(slots: Slots, belief: Belief, annotators: int) -> Floats:
    """By annotator, the expected words: spoken, right, left out, put in."""
    likely = on_grid(belief.candidates)
    nothing = total(np.where(slots.empty, likely, 0.0), slots.slot, slots.count)
    silent, tasks = slots.silent_cells, len(slots.voices) - 1
    # On a grid sums are exact: what all voices of a task have in common is added up once.
    spoken, put_in = (total(each, slots.task, tasks)[slots.voice_task] for each in (1 - nothing, nothing))
    quiet, where = slots.annotator[slots.cell_voice[silent]], slots.cell_slot[silent]
    right = total(np.where(slots.empty, 0.0, likely)[slots.chosen], slots.cell_voice, len(slots.annotator))
    return np.stack(
        [
            total(spoken, slots.annotator, annotators),
            total(right, slots.annotator, annotators),
            total((1 - nothing)[where], quiet, annotators),
            total(put_in, slots.annotator, annotators) - total(nothing[where], quiet, annotators),
        ]
    )


def estimate(counts: Floats) -> Floats:
    """Skills from counts, a row each, and the pool's as the last: shrunk to it."""
    spoken, shares = counts[0], counts[1:]
    pool = (shares.sum(axis=1) + POOL_WEIGHT * np.array(STRANGER)) / (spoken.sum() + POOL_WEIGHT)
    skills = (shares + POOL_WEIGHT * pool[:, None]) / (spoken + POOL_WEIGHT)
    # Rounded, so that what is stored decides as what was learned.
    return np.round(np.vstack([skills.T, pool]), 6)


def learn(chunks: Sequence[Evidence], annotators: int) -> Floats:
    """A skill for each annotator, and the pool's as the last row."""
    skills = np.tile(np.array(STRANGER), (annotators + 1, 1))
    for _ in range(ROUNDS):
        counts = np.zeros((4, annotators))
        for evidence in chunks:
            counts += count(evidence.slots, believe(evidence, skills), annotators)
        skills = estimate(counts)
    return skills

"""Many tasks' networks as arrays, so that numpy weighs all of their words at once.

Four things are numbered, each over all tasks: *slots*; *candidates*, the different words of a slot in their
alphabetical order ("" is no word); *voices*, an annotator's text on a task; *cells*, what a voice has in a
slot.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise
from operator import itemgetter
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

from .network import NO_WORD, Alphabet, Words, weave
from .variants import Variants

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Booleans = npt.NDArray[np.bool_]

# Sums of numbers on this grid are exact, so that they do not depend on the order of the summands.
GRID = 2.0**-20

# From so many slots on, joining them place by place is faster than one by one.
MANY = 500


class Voice(NamedTuple):
    """One text of one annotator, by number, on one task. Copies of one text share the weight of one voice."""

    text: Words
    annotator: int
    weight: float = 1.0


def on_grid(values: Floats) -> Floats:
    found: Floats = values * (1 / GRID)
    np.rint(found, out=found)
    found *= GRID
    return found


def total(values: npt.ArrayLike, at: Integers, size: int) -> Floats:
    """The sum of the values at each number from 0 to size."""
    return np.asarray(np.bincount(at, values, size), float)


@lru_cache(64)
def _pairs(number: int) -> tuple[Integers, Integers]:
    one, other = np.triu_indices(number, 1)
    return one, other


def _cells(voices: Integers, lengths: Integers, task: Integers) -> tuple[Integers, Integers]:
    """Of each cell, slot by slot, its slot and where it stands voice by voice. `voices`: where each task's
    begin, and their number; `lengths`: each task's number of slots; `task`: each slot's."""
    heard = np.diff(voices)
    before = np.cumsum(lengths * heard) - lengths * heard - (np.cumsum(lengths) - lengths)
    begins = before[task] + np.arange(len(task))
    slot = np.repeat(np.arange(len(task)), heard[task])
    voice = np.arange(len(slot)) - (np.cumsum(heard[task]) - heard[task])[slot]
    return slot, begins[slot] + voice * lengths[task][slot]


@dataclass(frozen=True)
class Slots:
    """`words`: each candidate's; `first`: each slot's first candidate, and their number at the end; `task`:
    each slot's; `voices`: where each task's voices begin, and their number at the end; `annotator` and
    `weight`: each voice's; `chosen`: each cell's candidate, slot by slot and voice by voice."""

    words: list[str]
    first: Integers
    task: Integers
    voices: Integers
    annotator: Integers
    weight: Floats
    chosen: Integers

    @classmethod
    def of(cls, tasks: Sequence[Sequence[Voice]], variants: Variants) -> "Slots":
        """The networks of tasks; where nobody heard a word there is one slot that holds none."""
        written: list[str] = []  # voice by voice
        lengths, voices = [], [0]
        everyone: list[Voice] = []
        alphabet = Alphabet()
        for given in tasks:
            given = sorted(given, key=itemgetter(0))
            everyone += given
            voices.append(len(everyone))
            times = Counter(map(itemgetter(0), given))
            woven = weave(list(times), list(times.values()), variants.bridge, alphabet) if given else [[]]
            # Where nobody heard a word, that is what there is to agree on.
            woven = [[NO_WORD]] if given and not woven[0] else woven
            for words, number in zip(woven, times.values(), strict=False):
                written += words * number
            lengths.append(len(woven[0]))
        vocabulary = sorted(set(written))
        numbers = dict(zip(vocabulary, range(len(vocabulary)), strict=True))
        word = np.fromiter(map(numbers.__getitem__, written), np.int64, len(written))
        task = np.repeat(np.arange(len(tasks)), lengths)
        slot, place = _cells(np.array(voices, np.int64), np.array(lengths, np.int64), task)
        candidates, chosen = np.unique(slot * len(vocabulary) + word[place], return_inverse=True)
        return cls(
            [vocabulary[at] for at in (candidates % len(vocabulary)).tolist()],
            np.searchsorted(candidates, np.arange(len(task) + 1) * len(vocabulary)),
            task,
            np.array(voices, np.int64),
            np.array([voice.annotator for voice in everyone], np.int64),
            np.array([voice.weight for voice in everyone], float),
            chosen,
        )

    @cached_property
    def longer(self) -> Floats:
        """How many characters each candidate is longer than the mean of what its slot's voices have."""
        length = np.fromiter(map(len, self.words), float, self.candidates)
        voices = np.maximum(total(self.votes, self.slot, self.count), 1)
        usual = total(length * self.votes, self.slot, self.count) / voices
        return np.where(self.empty, 0, length - usual[self.slot])

    @property
    def count(self) -> int:
        return len(self.task)

    @property
    def candidates(self) -> int:
        return len(self.words)

    @cached_property
    def heard(self) -> Integers:
        """How many voices each slot has."""
        return np.diff(self.voices)[self.task]

    @cached_property
    def width(self) -> Integers:
        """How many candidates each slot has."""
        return np.diff(self.first)

    @cached_property
    def slot(self) -> Integers:
        """Each candidate's slot."""
        return np.repeat(np.arange(self.count), self.width)

    @cached_property
    def cell_slot(self) -> Integers:
        return np.repeat(np.arange(self.count), self.heard)

    @cached_property
    def cell_voice(self) -> Integers:
        begins = np.cumsum(self.heard) - self.heard
        return np.arange(len(self.chosen)) + (self.voices[self.task] - begins)[self.cell_slot]

    @cached_property
    def voice_task(self) -> Integers:
        return np.repeat(np.arange(len(self.voices) - 1), np.diff(self.voices))

    @cached_property
    def silent_cells(self) -> Integers:
        """The cells that hold no word."""
        return np.flatnonzero(self.empty[self.chosen])

    @cached_property
    def cell_act(self) -> Integers:
        """What each cell's voice did: its number where it wrote a word, and beyond all of these where not."""
        return self.cell_voice + len(self.annotator) * self.empty[self.chosen]

    @cached_property
    def empty(self) -> Booleans:
        """Is the candidate no word?"""
        return np.array([not word for word in self.words], bool)

    @cached_property
    def votes(self) -> Floats:
        """The weight of the voices behind each candidate."""
        return total(on_grid(self.weight[self.cell_voice]), self.chosen, self.candidates)

    @cached_property
    def rivals(self) -> Integers:
        """The candidates that have a rival: where all agree there is nothing to compare."""
        return np.flatnonzero((self.width > 1)[self.slot])

    @cached_property
    def pairs(self) -> tuple[Integers, Integers]:
        """Every two candidates of a slot that are words; after them all, the same in the other order."""
        ones, others = [], []
        for width in range(2, self.width.max(initial=0) + 1):
            base = self.first[:-1][self.width == width]
            one, other = _pairs(width)
            ones.append((base[:, None] + one).ravel())
            others.append((base[:, None] + other).ravel())
        one, other = (np.concatenate([*found, np.empty(0, np.int64)]) for found in (ones, others))
        words = ~(self.empty[one] | self.empty[other])
        one, other = one[words], other[words]
        return np.append(one, other), np.append(other, one)

    def closeness(self, variants: Variants) -> Floats:
        """How alike the words of each of the `pairs` are, from 0 to 1; 1 for variants of one word."""
        half = len(self.pairs[0]) // 2
        one, other = ([self.words[number] for number in numbers[:half].tolist()] for numbers in self.pairs)
        if not one:
            return np.empty(0)
        alike = process.cpdist(one, other, scorer=Levenshtein.normalized_similarity, dtype=np.float64)
        same = [variants.same(a, b) for a, b in zip(one, other, strict=True)]
        return np.tile(np.where(same, 1.0, alike), 2)

    @cached_property
    def later(self) -> list[tuple[Integers, Integers]]:
        """For each place after a slot's first: the slots that have so many candidates, and those in it."""
        wider = (np.flatnonzero(self.width > place) for place in range(1, self.width.max(initial=0)))
        return [(slots, self.first[slots] + place) for place, slots in enumerate(wider, start=1)]

    def gathered(self, join: np.ufunc, values: Floats) -> Floats:
        """Each row's values (rows, candidates) joined over each slot: (rows, slots). Of many slots far faster
        than `reduceat`, as most have one candidate or two. Sums have to be exact."""
        if self.count < MANY:
            return np.asarray(join.reduceat(values, self.first[:-1], axis=-1))
        found = values.take(self.first[:-1], axis=-1)
        for slots, candidates in self.later:
            found[..., slots] = join(found.take(slots, axis=-1), values.take(candidates, axis=-1))
        return found

    def leaders(self, scores: Floats) -> Integers:
        """The candidate of each slot with the highest score, the first of equals."""
        leads = self.first[:-1].copy()
        for slots, candidates in self.later:
            leads[slots] = np.where(scores[candidates] > scores[leads[slots]], candidates, leads[slots])
        return leads

    def written(self) -> list[str]:
        """The words of each task, each once."""
        by_task = self._by_task(self.words, self.first)
        return [word for words in by_task for word in dict.fromkeys(words) if word]

    def told_by(self, annotator: int) -> Integers:
        """Each slot's candidate that one annotator chose, -1 where they gave no text."""
        told = np.full(self.count, -1)
        by = self.annotator[self.cell_voice] == annotator
        told[self.cell_slot[by]] = self.chosen[by]
        return told

    def texts(self, leads: Integers) -> list[list[str]]:
        """The words of each task's text, of the given candidate of each slot."""
        said = list(map(self.words.__getitem__, leads.tolist()))
        return [list(filter(None, words)) for words in self._by_task(said, np.arange(self.count + 1))]

    def _by_task(self, words: list[str], first: Integers) -> Iterator[list[str]]:
        """Words of slots, task by task, where each slot's begin."""
        slots = np.searchsorted(self.task, np.arange(len(self.voices)))
        for start, end in pairwise(first[slots].tolist()):
            yield words[start:end]

"""The networks of many tasks as arrays, so that numpy handles all of their words together.

Four things are numbered over all tasks: *slots*; *candidates*, the distinct words of a slot in alphabetical
order ("" is no word); *voices*, the text of one annotator on one task; *cells*, the word that one voice has
in one slot.
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

# Sums of multiples of this are exact, so they do not depend on the order of the summands.
GRID = 2.0**-20

# From this many slots on, `Slots.reduced` is faster by candidate than by slot.
MANY_SLOTS = 500


class Voice(NamedTuple):
    """One annotator's text on one task. `annotator` is a number; n copies of a text weigh 1 / n each."""

    text: Words
    annotator: int
    weight: float = 1.0


def on_grid(values: Floats) -> Floats:
    """The values rounded to multiples of `GRID`."""
    found: Floats = values * (1 / GRID)
    np.rint(found, out=found)
    found *= GRID
    return found


def sum_at(values: npt.ArrayLike, at: Integers, size: int) -> Floats:
    """The sum of the `values` for each number in `at`, from 0 to `size` - 1: (size,)."""
    return np.asarray(np.bincount(at, values, size), float)


@lru_cache(64)
def _pairs(number: int) -> tuple[Integers, Integers]:
    one, other = np.triu_indices(number, 1)
    return one, other


def _cells(voices: Integers, lengths: Integers, task: Integers) -> tuple[Integers, Integers]:
    """For each cell, ordered by slot: its slot, and its place in the order by voice.

    `voices`: each task's first voice, and their number at the end; `lengths`: each task's number of slots;
    `task`: each slot's task.
    """
    number = np.diff(voices)
    before = np.cumsum(lengths * number) - lengths * number - (np.cumsum(lengths) - lengths)
    begins = before[task] + np.arange(len(task))
    slot = np.repeat(np.arange(len(task)), number[task])
    voice = np.arange(len(slot)) - (np.cumsum(number[task]) - number[task])[slot]
    return slot, begins[slot] + voice * lengths[task][slot]


@dataclass(frozen=True)
class Slots:
    """The networks of some tasks.

    `words`: each candidate's word; `first`: each slot's first candidate, and their number at the end; `task`:
    each slot's task; `voices`: each task's first voice, and their number at the end; `annotator` and
    `weight`: those of each voice; `chosen`: each cell's candidate, ordered by slot and then by voice.
    """

    words: list[str]
    first: Integers
    task: Integers
    voices: Integers
    annotator: Integers
    weight: Floats
    chosen: Integers

    @classmethod
    def of(cls, tasks: Sequence[Sequence[Voice]], variants: Variants) -> "Slots":
        """The networks of `tasks`. A task on which no one heard a word has one slot, without a word."""
        written: list[str] = []  # by voice
        lengths, voices = [], [0]
        everyone: list[Voice] = []
        alphabet = Alphabet()
        for given in tasks:
            given = sorted(given, key=itemgetter(0))
            everyone += given
            voices.append(len(everyone))
            times = Counter(map(itemgetter(0), given))
            woven = weave(list(times), list(times.values()), variants.bridge, alphabet) if given else [[]]
            # If no one heard a word, annotators agree on the absence of one.
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
    def extra_length(self) -> Floats:
        """Characters by which each candidate exceeds the mean length in its slot; 0 for no word."""
        length = np.fromiter(map(len, self.words), float, self.candidates)
        voices = np.maximum(sum_at(self.votes, self.slot, self.count), 1)
        usual = sum_at(length * self.votes, self.slot, self.count) / voices
        return np.where(self.empty, 0, length - usual[self.slot])

    @property
    def count(self) -> int:
        """The number of slots."""
        return len(self.task)

    @property
    def candidates(self) -> int:
        """The number of candidates."""
        return len(self.words)

    @cached_property
    def voice_count(self) -> Integers:
        """The number of voices in each slot."""
        return np.diff(self.voices)[self.task]

    @cached_property
    def width(self) -> Integers:
        """The number of candidates in each slot."""
        return np.diff(self.first)

    @cached_property
    def slot(self) -> Integers:
        """Each candidate's slot."""
        return np.repeat(np.arange(self.count), self.width)

    @cached_property
    def cell_slot(self) -> Integers:
        """Each cell's slot."""
        return np.repeat(np.arange(self.count), self.voice_count)

    @cached_property
    def cell_voice(self) -> Integers:
        """Each cell's voice."""
        begins = np.cumsum(self.voice_count) - self.voice_count
        return np.arange(len(self.chosen)) + (self.voices[self.task] - begins)[self.cell_slot]

    @cached_property
    def voice_task(self) -> Integers:
        """Each voice's task."""
        return np.repeat(np.arange(len(self.voices) - 1), np.diff(self.voices))

    @cached_property
    def empty_cells(self) -> Integers:
        """The cells without a word."""
        return np.flatnonzero(self.empty[self.chosen])

    @cached_property
    def cell_action(self) -> Integers:
        """What each cell's voice did: its number if it wrote a word, else that plus the number of voices."""
        return self.cell_voice + len(self.annotator) * self.empty[self.chosen]

    @cached_property
    def empty(self) -> Booleans:
        """Whether each candidate is the absence of a word."""
        return np.array([not word for word in self.words], bool)

    @cached_property
    def votes(self) -> Floats:
        """The summed weight of the voices for each candidate."""
        return sum_at(on_grid(self.weight[self.cell_voice]), self.chosen, self.candidates)

    @cached_property
    def rivals(self) -> Integers:
        """The candidates that have a rival in their slot."""
        return np.flatnonzero((self.width > 1)[self.slot])

    @cached_property
    def pairs(self) -> tuple[Integers, Integers]:
        """All pairs of words in the same slot, as candidates; then the same pairs in the other order."""
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
        """The similarity of the words of each of the `pairs`, from 0 to 1; 1 for variants of one word."""
        half = len(self.pairs[0]) // 2
        one, other = ([self.words[number] for number in numbers[:half].tolist()] for numbers in self.pairs)
        if not one:
            return np.empty(0)
        alike = process.cpdist(one, other, scorer=Levenshtein.normalized_similarity, dtype=np.float64)
        same = [variants.same(a, b) for a, b in zip(one, other, strict=True)]
        return np.tile(np.where(same, 1.0, alike), 2)

    @cached_property
    def further(self) -> list[tuple[Integers, Integers]]:
        """For the second candidate of slots, the third and so on: slots that have it, and the candidates."""
        wider = (np.flatnonzero(self.width > place) for place in range(1, self.width.max(initial=0)))
        return [(slots, self.first[slots] + place) for place, slots in enumerate(wider, start=1)]

    def reduced(self, join: np.ufunc, values: Floats) -> Floats:
        """`values` (rows, candidates) reduced by `join` over each slot: (rows, slots).

        Far faster than `reduceat` for many slots, as most have one or two candidates. Sums must be exact.
        """
        if self.count < MANY_SLOTS:
            return np.asarray(join.reduceat(values, self.first[:-1], axis=-1))
        found = values.take(self.first[:-1], axis=-1)
        for slots, candidates in self.further:
            found[..., slots] = join(found.take(slots, axis=-1), values.take(candidates, axis=-1))
        return found

    def leaders(self, scores: Floats) -> Integers:
        """The candidate with the highest score in each slot; the first one in a tie."""
        leads = self.first[:-1].copy()
        for slots, candidates in self.further:
            leads[slots] = np.where(scores[candidates] > scores[leads[slots]], candidates, leads[slots])
        return leads

    def distinct_words(self) -> list[str]:
        """The distinct words of each task, in one list."""
        by_task = self._by_task(self.words, self.first)
        return [word for words in by_task for word in dict.fromkeys(words) if word]

    def chosen_by(self, annotator: int) -> Integers:
        """The candidate that one annotator chose in each slot, -1 where they gave no text."""
        found = np.full(self.count, -1)
        by = self.annotator[self.cell_voice] == annotator
        found[self.cell_slot[by]] = self.chosen[by]
        return found

    def texts(self, leads: Integers) -> list[list[str]]:
        """The words of each task's text, given the chosen candidate of each slot."""
        chosen = list(map(self.words.__getitem__, leads.tolist()))
        return [list(filter(None, words)) for words in self._by_task(chosen, np.arange(self.count + 1))]

    def _by_task(self, words: list[str], first: Integers) -> Iterator[list[str]]:
        """Words by task; `first` is where each slot's words begin in `words`."""
        slots = np.searchsorted(self.task, np.arange(len(self.voices)))
        for start, end in pairwise(first[slots].tolist()):
            yield words[start:end]

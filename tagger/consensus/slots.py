"""Many tasks' networks as arrays, so that numpy weighs all of their words at once.

Four things are numbered, each over all tasks: *slots*; *candidates*, the different words of a slot in their
alphabetical order ("" is no word); *voices*, an annotator's text on a task; *cells*, what a voice has in a
slot.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from operator import itemgetter
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

from tagger.consensus.network import NO_WORD, Words, weave
from tagger.consensus.variants import Variants

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Booleans = npt.NDArray[np.bool_]

# Sums of numbers on this grid are exact, so that they do not depend on the order of the summands.
GRID = 2.0**-20


class Voice(NamedTuple):
    """One text of one annotator, by number, on one task. Copies of one text share the weight of one voice."""

    text: Words
    annotator: int
    weight: float = 1.0


def on_grid(values: Floats) -> Floats:
    return np.rint(values / GRID) * GRID


def total(values: npt.ArrayLike, at: Integers, size: int) -> Floats:
    """The sum of the values at each number from 0 to size."""
    return np.asarray(np.bincount(at, values, size), float)


@lru_cache(64)
def _ordered_pairs(number: int) -> tuple[Integers, Integers]:
    one, other = np.nonzero(~np.eye(number, dtype=bool))
    return one, other


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
        words: list[str] = []
        first, task, voices, chosen = [0], [], [0], []
        everyone: list[Voice] = []
        for number, given in enumerate(tasks):
            given = sorted(given, key=itemgetter(0))
            everyone += given
            voices.append(len(everyone))
            times = Counter(voice.text for voice in given)
            texts = list(times)
            rows = [at for at, times_ in enumerate(times.values()) for _ in range(times_)]
            slots = weave(texts, list(times.values()), variants.bridge) if texts else []
            # Where nobody heard a word, that is what there is to agree on.
            for slot in slots or [(NO_WORD,)] * bool(texts):
                base = len(words)
                if slot.count(slot[0]) == len(slot):
                    words.append(slot[0])
                    chosen += [base] * len(rows)
                else:
                    candidates = sorted(set(slot))
                    words += candidates
                    at = {word: base + place for place, word in enumerate(candidates)}
                    here = [at[word] for word in slot]
                    chosen += [here[row] for row in rows]
                first.append(len(words))
            task += [number] * (len(slots) or bool(texts))
        return cls(
            words,
            np.array(first, np.int64),
            np.array(task, np.int64),
            np.array(voices, np.int64),
            np.array([voice.annotator for voice in everyone], np.int64),
            np.array([voice.weight for voice in everyone], float),
            np.array(chosen, np.int64),
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
        """Every two candidates of a slot that are words, in both orders."""
        ones, others = [], []
        for width in range(2, max(self.width, default=0) + 1):
            base = self.first[:-1][self.width == width]
            one, other = _ordered_pairs(width)
            ones.append((base[:, None] + one).ravel())
            others.append((base[:, None] + other).ravel())
        one, other = (np.concatenate([*found, np.empty(0, np.int64)]) for found in (ones, others))
        words = ~(self.empty[one] | self.empty[other])
        return one[words], other[words]

    def closeness(self, variants: Variants) -> Floats:
        """How alike the words of each of the `pairs` are, from 0 to 1; 1 for variants of one word."""
        one, other = ([self.words[number] for number in numbers] for numbers in self.pairs)
        if not one:
            return np.empty(0)
        alike = process.cpdist(one, other, scorer=Levenshtein.normalized_similarity, dtype=np.float64)
        same = [variants.same(a, b) for a, b in zip(one, other, strict=True)]
        return np.where(same, 1.0, alike)

    def leaders(self, scores: Floats) -> Integers:
        """The candidate of each slot with the highest score, the first of equals."""
        best = np.maximum.reduceat(scores, self.first[:-1]) if self.count else np.empty(0)
        at = np.where(scores == best[self.slot], np.arange(self.candidates), self.candidates)
        return np.minimum.reduceat(at, self.first[:-1]) if self.count else np.empty(0, np.int64)

    def written(self) -> list[str]:
        """The words of each task, each once."""
        different = dict.fromkeys(zip(self.task[self.slot].tolist(), self.words, strict=True))
        return [word for _, word in different if word]

    def told_by(self, annotator: int) -> Integers:
        """Each slot's candidate that one annotator chose, -1 where they gave no text."""
        told = np.full(self.count, -1)
        by = self.annotator[self.cell_voice] == annotator
        told[self.cell_slot[by]] = self.chosen[by]
        return told

    def texts(self, leads: Integers) -> list[list[str]]:
        """The words of each task's text, of the given candidate of each slot."""
        texts: list[list[str]] = [[] for _ in range(len(self.voices) - 1)]
        for task, lead in zip(self.task.tolist(), leads.tolist(), strict=True):
            if self.words[lead]:
                texts[task].append(self.words[lead])
        return texts

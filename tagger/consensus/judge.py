"""Which word of a slot was spoken, and how sure that is: a small model over each slot's candidates.

A conditional logit, a softmax over the candidates of a slot and over 'none of them' of weighted sums, and on
top of it a few boosted trees for the slots in which people differ. It looks twice: first with what the noisy
channel believes, then with what it came to believe itself, which tells better who is right in the rest of
the text. What it sees is in `INPUTS`: the belief, the votes, how the same voices do elsewhere in the text,
how like the other candidates it is, and how common the word is, to the crowd and to its language. Its
parameters are in `transcripts.json`, learned by `bench/learn_transcripts.py` from the crowds named in it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from tagger.consensus.frequencies import Frequency
from tagger.consensus.lexicon import EDGE, Lexicon, pair
from tagger.consensus.reliability import Belief, Evidence, normalise
from tagger.consensus.slots import Booleans, Floats, Integers, Slots, on_grid, total

SHIPPED = Path(__file__).parent / "transcripts.json"

INPUTS = (
    *("belief", "share", "votes", "votes against", "no word"),
    *("odds", "odds squared", "log odds", "sum of log odds"),
    *("odds elsewhere", "odds elsewhere squared", "root of odds elsewhere", "sum of log odds elsewhere"),
    *("mean log odds elsewhere", "best log odds elsewhere", "voices before", "voices after"),
    *("closeness", "closest", "longer", "written", "never written"),
    *("pair before", "pair after", "common", "less common", "uncommon", "closeness by odds"),
    *("none", "belief in none"),
)

# Of these the trees see the lead over the best rival too.
RIVALLED = [
    INPUTS.index(name)
    for name in (
        *("belief", "votes", "odds", "sum of log odds elsewhere", "best log odds elsewhere"),
        *("voices before", "voices after", "written", "pair before", "pair after"),
    )
]

# A voice's share of right words in the rest of a text is taken towards its skill as if by so many words.
OWN_WORDS = 4.0

# Candidates that the trees are asked about at once, so that it all stays in the processor's cache.
TOGETHER = 512

# Crowds better than this are not trusted further, as one vote a task looks like perfection.
MISSING = (0.1, 0.5)

# Below this Zipf value, once in some thirty million words, a word is more likely a slip than a word.
UNCOMMON = 1.5


@dataclass(frozen=True)
class Trees:
    """Boosted decision trees that ask one question at every node of a level, so that numpy asks them all.

    `inputs` and `above`: of each level of each tree, the input asked and the value that it must be above;
    `leaves`: what each tree adds, the answers read as a binary number, on the grid on which sums are exact.
    """

    inputs: Integers
    above: Floats
    leaves: Floats

    @classmethod
    def none(cls) -> "Trees":
        return cls(np.empty((0, 1), np.int64), np.empty((0, 1)), np.empty((0, 2)))

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Trees":
        return cls(
            np.array(data["inputs"], np.int64), np.array(data["above"]), on_grid(np.array(data["leaves"]))
        )

    def as_json(self) -> dict[str, Any]:
        return {
            "inputs": self.inputs.tolist(),
            "above": np.round(self.above, 4).tolist(),
            "leaves": np.round(self.leaves, 4).tolist(),
        }

    def sum(self, columns: Floats) -> Floats:
        """What the trees add to each column of inputs."""
        if columns.shape[1] > TOGETHER:
            parts = range(0, columns.shape[1], TOGETHER)
            return np.concatenate([self.sum(columns[:, at : at + TOGETHER]) for at in parts])
        leaf = np.zeros((len(self.inputs), columns.shape[1]), np.int64)
        for asked, above in zip(self.inputs.T, self.above.T, strict=True):
            leaf = 2 * leaf + (columns[asked] > above[:, None])
        return np.asarray(self.leaves[np.arange(len(leaf))[:, None], leaf].sum(axis=0), float)


@dataclass(frozen=True)
class Model:
    """`levels`: numbers of votes; `weights`: for the first look and the second, a row for each level, of one
    for each input, for slots with so many votes or more; `trees`: see there; `calibration`: see
    `confidence`."""

    levels: Integers
    weights: Floats
    trees: Trees
    calibration: tuple[float, float, float]

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Model":
        """Raises ValueError for parameters of another version."""
        if tuple(data["inputs"]) != INPUTS:
            raise ValueError("the parameters were learned for other inputs")
        return cls(
            np.array(data["levels"]),
            np.array(data["weights"]),
            Trees.from_json(data["trees"]),
            (data["calibration"][0], data["calibration"][1], data["calibration"][2]),
        )

    def as_json(self) -> dict[str, Any]:
        """The parameters as they are shipped, to four digits."""
        weights = np.round(self.weights, 4).tolist()
        calibration = np.round(self.calibration, 4).tolist()
        return {
            "inputs": INPUTS,
            "levels": self.levels.tolist(),
            "weights": weights,
            "trees": self.trees.as_json(),
            "calibration": calibration,
        }

    def judge(self, slots: Slots, of_words: Floats, of_none: Floats, look: int) -> Belief:
        """What was spoken in each slot, by the inputs of `look`, the first (0) or the second (1)."""
        level = np.maximum(np.searchsorted(self.levels, slots.heard, side="right") - 1, 0)
        scores, none = np.zeros(slots.candidates), np.zeros(slots.count)
        for number in np.unique(level):
            here, words = level == number, (level == number)[slots.slot]
            scores[words] = self.weights[look, number] @ of_words[:, words]
            none[here] = self.weights[look, number] @ of_none[:, here]
            # Where all agree, one more voice never makes a word less sure: no less than with fewer voices.
            agreed = np.flatnonzero(here & (slots.width == 1))
            at = slots.first[agreed]
            fewer = self.weights[look, :number]
            lead = fewer @ of_words[:, at] - fewer @ of_none[:, agreed]
            scores[at] = np.maximum(scores[at], none[agreed] + lead.max(axis=0, initial=-np.inf))
        if look and self.trees.leaves.size:
            at = np.flatnonzero(contested(slots)[slots.slot])
            scores[at] += self.trees.sum(compared(slots, of_words, scores)[:, at])
        return normalise(slots, scores, none)

    def confidence(self, errors: Floats, words: Floats, right: float) -> Floats:
        """Of texts of so many words in which so many errors are expected, the share of right words.

        1 - exp(a) x^b (1 - r)^c, where x is the raw share of errors and r the share of right words of the
        crowd's mean annotator: the model cannot see the words that everybody missed, and those are more where
        everybody misses more.
        """
        offset, power, crowd = self.calibration
        share = np.maximum(errors, 1e-9) / np.maximum(words, 1)
        missed = np.exp(offset) * share**power * missing(right) ** crowd
        return np.round(1 - np.minimum(missed, 1.0), 6)


def missing(right: float) -> float:
    """The share of words that the mean annotator of a crowd does not get right, within `MISSING`."""
    return float(np.clip(1 - right, *MISSING))


@cache
def shipped() -> Model:
    """The model whose parameters are in the package."""
    return Model.from_json(json.loads(SHIPPED.read_text("utf-8")))


def contested(slots: Slots) -> Booleans:
    """The slots that the trees judge: those with more than one candidate and no digits, as whether a crowd
    writes numerals as digits is not for other crowds to teach."""
    found = slots.width > 1
    at = np.flatnonzero(found[slots.slot])
    digits = [any(map(str.isdigit, slots.words[number])) for number in at.tolist()]
    found[slots.slot[at[digits]]] = False
    return found


def compared(slots: Slots, of_words: Floats, scores: Floats) -> Floats:
    """The inputs of the trees, a column for each candidate: those of `look`; how far some of them are above
    the best rival's; the number of voices and of candidates, and the score so far."""
    first, slot = slots.first[:-1], slots.slot
    rows = np.vstack([of_words[RIVALLED], scores])
    best = np.maximum.reduceat(rows, first, axis=1)[:, slot]
    leads = rows == best
    alone = np.add.reduceat(leads, first, axis=1, dtype=np.int64)[:, slot] == 1
    second = np.maximum.reduceat(np.where(leads, -np.inf, rows), first, axis=1)[:, slot]
    rival = np.where(leads & alone, second, best)
    margins = np.where(np.isfinite(rival), rows - rival, 0.0)
    return np.round(np.vstack([of_words, margins, slots.heard[slot], slots.width[slot], scores]), 6)


def look(
    evidence: Evidence,
    belief: Belief,
    skills: Floats,
    lexicon: Lexicon,
    frequency: Frequency,
    counted: bool,
) -> tuple[Floats, Floats]:
    """The inputs of the model, a column for each candidate, and one for each slot's 'none of them'.

    `counted` says that the lexicon holds the leading texts, which then do not speak for themselves.
    """
    slots = evidence.slots
    if not slots.count:
        return np.empty((len(INPUTS), 0)), np.empty((len(INPUTS), 0))
    first, slot, chosen, size = slots.first[:-1], slots.slot, slots.chosen, slots.candidates
    voices = slots.heard[slot].astype(float)
    behind = np.maximum(slots.votes, 1e-9)
    weight = slots.weight[slots.cell_voice]
    believed = on_grid(belief.candidates)[chosen]
    before, after = _neighbours(slots, believed)
    elsewhere = on_grid(_elsewhere(slots, believed, skills))
    right = np.clip(skills[slots.annotator, 0], 0.02, 0.98)
    odds = (right / (1 - right))[slots.cell_voice]
    odds_elsewhere = np.exp(elsewhere)
    best = np.full(size, -1.0)
    np.maximum.at(best, chosen, elsewhere)
    one, other = slots.pairs
    common, less_common, uncommon = _commonness(slots, frequency)
    written, left, following = _counts(slots, slots.leaders(belief.candidates), lexicon, counted)

    def behind_each(values: Floats) -> Floats:
        return total(on_grid(values * weight), chosen, size)

    def share(values: Floats) -> Floats:
        gathered = behind_each(values)
        return gathered / np.maximum(np.add.reduceat(gathered, first), 1e-9)[slot]

    gathered = behind_each(odds_elsewhere)

    columns = (
        np.log(np.maximum(belief.candidates, 1e-9)) / 4,
        slots.votes / voices,
        np.log1p(slots.votes),
        np.log1p(np.maximum(voices - slots.votes, 0)),
        slots.empty,
        share(odds),
        share(odds**2),
        share(np.maximum(np.log(odds), 0.05)),
        behind_each(np.log(odds)) / 5,
        share(odds_elsewhere),
        share(odds_elsewhere**2),
        share(np.sqrt(odds_elsewhere)),
        behind_each(elsewhere) / 10,
        behind_each(elsewhere) / behind / 2,
        best / 2,
        behind_each(before) / behind,
        behind_each(after) / behind,
        total(on_grid(evidence.closeness * slots.votes[other]), one, size) / voices,
        evidence.closest,
        slots.longer / 4,
        written / 4,
        (written == 0) & ~slots.empty,
        left / 3,
        following / 3,
        common / 4,
        less_common / 4,
        uncommon,
        total(on_grid(evidence.closeness * gathered[other]), one, size)
        / np.maximum(np.add.reduceat(gathered, first), 1e-9)[slot],
    )
    of_words = np.zeros((len(INPUTS), size))
    for row, column in zip(of_words, columns, strict=False):
        row[:] = column
    of_none = np.maximum.reduceat(of_words, first, axis=1)
    of_none[-2] = 1.0
    of_none[-1] = np.log(np.maximum(belief.none, 1e-9)) / 4
    return of_words, of_none


def _elsewhere(slots: Slots, chosen: Floats, skills: Floats) -> Floats:
    """For each cell, the log odds that its voice is right, by the other slots of the text."""
    voice, voices = slots.cell_voice, len(slots.annotator)
    right, cells = total(chosen, voice, voices), total(np.ones(len(voice)), voice, voices)
    prior = OWN_WORDS * skills[slots.annotator, 0]
    share = (right[voice] - chosen + prior[voice]) / (cells[voice] - 1 + OWN_WORDS)
    share = np.clip(share, 0.001, 0.9999)
    return np.log(share / (1 - share))


def _neighbours(slots: Slots, believed: Floats) -> tuple[Floats, Floats]:
    """For each cell, how likely what its voice has in the slot before is right, and in the slot after."""
    step, cells = slots.heard[slots.cell_slot], np.arange(len(believed))
    follows = np.diff(slots.task, prepend=-1) == 0
    after_it = np.append(follows[1:], False)
    before = np.where(follows[slots.cell_slot], believed[cells - step], 1.0)
    return before, np.where(
        after_it[slots.cell_slot], believed[np.minimum(cells + step, len(cells) - 1)], 1.0
    )


def _commonness(slots: Slots, frequency: Frequency) -> tuple[Floats, Floats, Booleans]:
    """The Zipf value of each candidate, how far it is below its slot's best, and is it hardly a word?

    All are nought where there is nothing to compare, and where no list counts any of them.
    """
    asked = np.flatnonzero((slots.width > 1)[slots.slot] & ~slots.empty)
    found = np.array([frequency(slots.words[number]) for number in asked.tolist()], float)
    zipf, below = np.zeros(slots.candidates), np.zeros(slots.candidates)
    uncommon = np.zeros(slots.candidates, bool)
    zipf[asked] = np.where(np.isnan(found), 0.0, found)
    best = np.maximum.reduceat(zipf, slots.first[:-1])[slots.slot][asked]
    # What no list counts is taken for as common as the best.
    zipf[asked] = np.where(np.isnan(found), best, found)
    below[asked] = zipf[asked] - best
    uncommon[asked] = found < UNCOMMON
    return zipf, below, uncommon


def _counts(slots: Slots, leads: Integers, lexicon: Lexicon, counted: bool) -> tuple[Floats, Floats, Floats]:
    """The log of how often the crowd writes each candidate; after the word before; before the word after."""
    before, after = _context(slots, leads)
    # Where all agree there is nothing to compare.
    asked = np.flatnonzero((slots.width > 1)[slots.slot])
    counts = np.zeros((3, slots.candidates))
    words, at = [slots.words[number] for number in asked.tolist()], slots.slot[asked].tolist()
    counts[0, asked] = [lexicon.words[word] for word in words]
    found = zip(words, at, strict=True)
    sides = [
        (pair(before[slot], word or after[slot]), pair(word or before[slot], after[slot]))
        for word, slot in found
    ]
    counts[1, asked] = [lexicon.pairs[left] for left, _ in sides]
    counts[2, asked] = [lexicon.pairs[right] for _, right in sides]
    if counted:
        counts[0] -= 1
        counts[1:, leads] -= 1
    written, left, following = np.log1p(np.maximum(counts, 0))
    return np.where(slots.empty, 0.0, written), left, following


def _context(slots: Slots, leads: Integers) -> tuple[list[str], list[str]]:
    """For each slot, the leading word before it and after it in its text."""
    words, tasks = [slots.words[lead] for lead in leads.tolist()], slots.task.tolist()
    before: list[str] = []
    after: list[str] = []
    for sides, forth in ((before, 1), (after, -1)):
        last, of = EDGE, -1
        for word, task in zip(words[::forth], tasks[::forth], strict=True):
            sides.append(last if task == of else EDGE)
            last, of = word or (last if task == of else EDGE), task
    return before, after[::-1]

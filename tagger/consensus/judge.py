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
from functools import cache, cached_property
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np

from .frequencies import Frequency
from .lexicon import EDGE, Lexicon, pair
from .reliability import Belief, Evidence, normalise
from .slots import Booleans, Floats, Integers, Slots, on_grid, total

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
    There are eight levels at most: a byte holds the number.
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
        inputs, above, asked, leaves = self._in_pairs
        answers = (columns[inputs] > above[:, None]).view(np.uint8)
        leaf = answers[asked[0]]
        for questions in asked[1:]:
            leaf <<= 1
            leaf |= answers[questions]
        at = leaf + np.arange(0, leaves.size, leaves.shape[1])[:, None]
        return np.asarray(leaves.take(at).sum(axis=0), float)

    @cached_property
    def _in_pairs(self) -> tuple[Integers, Floats, Integers, Floats]:
        """The input and the value of every different question; which of these each level asks, a column for
        each tree; the leaves. Two trees are taken as one of twice the levels where a byte still holds these.
        """
        inputs, above, leaves = self.inputs, self.above, self.leaves
        half = len(inputs) // 2
        if len(inputs) == 2 * half and inputs.shape[1] <= 4:
            inputs = np.hstack([inputs[:half], inputs[half:]])
            above = np.hstack([above[:half], above[half:]])
            leaves = (leaves[:half, :, None] + leaves[half:, None]).reshape(half, leaves.shape[1] ** 2)
        nodes = np.stack([inputs.ravel(), above.ravel()])
        different, asked = np.unique(nodes, axis=1, return_inverse=True)
        return different[0].astype(np.int64), different[1], asked.reshape(inputs.shape).T, leaves


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
        for number in np.flatnonzero(np.bincount(level)).tolist():
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
            judged = contested(slots)
            scores[judged[slots.slot]] += self.trees.sum(compared(slots, judged, of_words, scores))
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
    least, most = MISSING
    return min(max(1 - float(right), least), most)


@cache
def shipped() -> Model:
    """The model whose parameters are in the package."""
    return Model.from_json(json.loads(SHIPPED.read_text("utf-8")))


def contested(slots: Slots) -> Booleans:
    """The slots that the trees judge: those with more than one candidate and no digits, as whether a crowd
    writes numerals as digits is not for other crowds to teach."""
    found = slots.width > 1
    at = slots.rivals
    words = (slots.words[number] for number in at.tolist())
    digits = [not word.isalpha() and any(map(str.isdigit, word)) for word in words]
    found[slots.slot[at[digits]]] = False
    return found


def compared(slots: Slots, contested: Booleans, of_words: Floats, scores: Floats) -> Floats:
    """The inputs of the trees, a column for each candidate of the contested slots: those of `look`; how far
    some of them are above the best rival's; the number of voices and of candidates, and the score so far."""
    at = np.flatnonzero(contested[slots.slot])
    slot = slots.slot[at]
    rows = np.vstack([of_words[RIVALLED], scores])
    best, second = _two_best(slots, rows)
    seen, rows, best = of_words.take(at, axis=1), rows.take(at, axis=1), best.take(slot, axis=1)
    rival = np.where(rows == best, second.take(slot, axis=1), best)
    margins = np.where(np.isfinite(rival), rows - rival, 0.0)
    return np.round(np.vstack([seen, margins, slots.heard[slot], slots.width[slot], scores[at]]), 6)


def _two_best(slots: Slots, rows: Floats) -> tuple[Floats, Floats]:
    """Of each row (rows, candidates), each slot's highest value, and the next, or as high: (rows, slots)."""
    best = rows.take(slots.first[:-1], axis=1)
    second = np.full(best.shape, -np.inf)
    for at, candidates in slots.later:
        one, other = best.take(at, axis=1), rows.take(candidates, axis=1)
        best[:, at] = np.maximum(one, other)
        second[:, at] = np.maximum(second.take(at, axis=1), np.minimum(one, other))
    return best, second


@dataclass
class Usage:
    """How common the candidates that have a rival are, to the crowd and to its language.

    `written`: the log of how often the crowd writes each; `common`: three rows, see `_commonness`; `around`:
    the number of the leading word before each and of that after it when `beside` was last asked, -1 for none;
    `neighbours`: how often the crowd writes it beside these. Looking words up takes long, and from one look
    to the next few of the leading words change.
    """

    slots: Slots
    lexicon: Lexicon
    counted: bool
    written: Floats
    common: Floats
    around: Integers
    neighbours: Floats

    @classmethod
    def of(cls, slots: Slots, lexicon: Lexicon, frequency: Frequency, counted: bool) -> "Usage":
        """`counted` says that the lexicon holds the leading texts, which then do not speak for themselves."""
        written, common = _written(slots, lexicon, counted), _commonness(slots, frequency)
        rivals = len(slots.rivals)
        return cls(slots, lexicon, counted, written, common, np.full((2, rivals), -2), np.zeros((2, rivals)))

    def beside(self, leads: Integers) -> Floats:
        """The log of how often the crowd writes each candidate that has a rival after the leading word before
        it; and before the leading word after it."""
        asked = self.slots.rivals
        at = self.slots.slot[asked]
        around = _context(self.slots, leads, at)
        other = np.flatnonzero((around != self.around).any(axis=0))
        word, (before, after) = asked[other], around[:, other]
        silent = self.slots.empty[word]
        beside = [(before, np.where(silent, after, word)), (np.where(silent, before, word), after)]
        name, count = [*self.slots.words, EDGE].__getitem__, self.lexicon.pairs.get
        for row, sides in zip(self.neighbours, beside, strict=True):
            one, two = (map(name, side.tolist()) for side in sides)
            row[other] = list(map(count, map(pair, one, two), repeat(0)))
        self.around = around
        found = np.zeros((2, self.slots.candidates))
        counts = self.neighbours - (leads[at] == asked) if self.counted else self.neighbours
        found[:, asked] = np.log1p(np.maximum(counts, 0))
        return found


@dataclass(frozen=True)
class Sight:
    """What is seen of slots whatever is believed of them, and so alike in both looks.

    `of_words` holds the inputs that it gives, a column for each candidate, and nought for the others. Of each
    cell: `weight`, its voice's; `step`, how far its voice's cells before and after it are; whether it is
    `first` or `last` of them; `prior` and `cells`, the right words that its voice's skill is worth in the
    rest of the text, and the number of words that these and the rest are.
    """

    evidence: Evidence
    usage: Usage
    of_words: Floats
    weight: Floats
    step: Integers
    first: Booleans
    last: Booleans
    prior: Floats
    cells: Floats

    @classmethod
    def of(cls, evidence: Evidence, skills: Floats, usage: Usage) -> "Sight":
        slots = evidence.slots
        right = skills[slots.annotator, 0]
        voice = slots.cell_voice
        weight = slots.weight[voice]
        opens = np.ones(slots.count + 1, bool)
        opens[1:-1] = slots.task[1:] != slots.task[:-1]
        prior = OWN_WORDS * right
        cells = total(np.ones(len(voice)), voice, len(right))
        of_words = np.zeros((len(INPUTS), slots.candidates))
        of_words[1:5] = _voted(slots)
        of_words[5:9] = _by_odds(slots, np.clip(right, 0.02, 0.98))
        one, other = slots.pairs
        voices = slots.heard[slots.slot].astype(float)
        of_words[17] = total(on_grid(evidence.closeness * slots.votes[other]), one, slots.candidates) / voices
        of_words[18] = evidence.closest
        of_words[19] = slots.longer / 4
        of_words[20] = usage.written / 4
        of_words[21] = (usage.written == 0) & ~slots.empty
        of_words[24:27] = usage.common
        return cls(
            evidence,
            usage,
            of_words,
            weight,
            slots.heard[slots.cell_slot],
            opens[:-1][slots.cell_slot],
            opens[1:][slots.cell_slot],
            prior[voice],
            cells[voice] - 1 + OWN_WORDS,
        )


def look(sight: Sight, belief: Belief) -> tuple[Floats, Floats]:
    """The inputs of the model, a column for each candidate, and one for each slot's 'none of them'."""
    evidence, slots = sight.evidence, sight.evidence.slots
    if not slots.count:
        return np.empty((len(INPUTS), 0)), np.empty((len(INPUTS), 0))
    believed = on_grid(belief.candidates)[slots.chosen]
    elsewhere = on_grid(_elsewhere(sight, believed))
    best = np.full(slots.candidates, -1.0)
    np.maximum.at(best, slots.chosen, elsewhere)
    odds = np.exp(elsewhere)
    before, after = _neighbours(sight, believed)
    behind = _behind_each(
        slots, np.stack([odds, odds**2, np.sqrt(odds), elsewhere, before, after]) * sight.weight
    )
    gathered = np.maximum(slots.gathered(np.add, behind[:3]), 1e-9).take(slots.slot, axis=1)
    weight = np.maximum(slots.votes, 1e-9)
    one, other = slots.pairs

    of_words = sight.of_words.copy()
    of_words[0] = np.log(np.maximum(belief.candidates, 1e-9)) / 4
    of_words[9:12] = behind[:3] / gathered
    of_words[12] = behind[3] / 10
    of_words[13] = behind[3] / weight / 2
    of_words[14] = best / 2
    of_words[15:17] = behind[4:] / weight
    of_words[22:24] = sight.usage.beside(slots.leaders(belief.candidates)) / 3
    close = total(on_grid(evidence.closeness * behind[0, other]), one, slots.candidates)
    of_words[27] = close / gathered[0]
    of_none = slots.gathered(np.maximum, of_words)
    of_none[-2] = 1.0
    of_none[-1] = np.log(np.maximum(belief.none, 1e-9)) / 4
    return of_words, of_none


def _behind_each(slots: Slots, values: Floats) -> Floats:
    """The sums of each row of the cells' values over the cells of each candidate."""
    values = on_grid(values)
    sums = np.empty((len(values), slots.candidates))
    for row, of_cells in zip(sums, values, strict=True):
        row[:] = np.bincount(slots.chosen, of_cells, slots.candidates)
    return sums


def _voted(slots: Slots) -> tuple[Floats, ...]:
    """For each candidate its share of the votes, the logs of those for it and against it; is it no word?"""
    voices = slots.heard[slots.slot].astype(float)
    against = np.log1p(np.maximum(voices - slots.votes, 0))
    return slots.votes / voices, np.log1p(slots.votes), against, slots.empty.astype(float)


def _by_odds(slots: Slots, right: Floats) -> Floats:
    """For each candidate the shares of odds, of their squares and of their logs, and the sum of the logs, by
    the share of right words of each voice."""
    odds = right / (1 - right)
    logs = np.log(odds)
    by_voice = np.stack([odds, odds**2, np.maximum(logs, 0.05), logs]) * slots.weight
    behind = _behind_each(slots, by_voice[:, slots.cell_voice])
    gathered = np.maximum(slots.gathered(np.add, behind[:3]), 1e-9)
    behind[:3] /= gathered.take(slots.slot, axis=1)
    behind[3] /= 5
    return behind


def _elsewhere(sight: Sight, chosen: Floats) -> Floats:
    """For each cell, the log odds that its voice is right, by the other slots of the text."""
    slots = sight.evidence.slots
    right = total(chosen, slots.cell_voice, len(slots.annotator))
    share = (right[slots.cell_voice] - chosen + sight.prior) / sight.cells
    share = np.clip(share, 0.001, 0.9999)
    return np.asarray(np.log(share / (1 - share)))


def _neighbours(sight: Sight, believed: Floats) -> tuple[Floats, Floats]:
    """For each cell, how likely what its voice has in the slot before is right, and in the slot after."""
    cells = np.arange(len(believed))
    before = np.where(sight.first, 1.0, believed[cells - sight.step])
    return before, np.where(sight.last, 1.0, believed[np.minimum(cells + sight.step, len(cells) - 1)])


def _commonness(slots: Slots, frequency: Frequency) -> Floats:
    """The Zipf value of each candidate, how far it is below its slot's best, and is it hardly a word? As the
    model takes them.

    All are nought where there is nothing to compare, and where no list counts any of them.
    """
    asked = slots.rivals[~slots.empty[slots.rivals]]
    found = np.array([frequency(slots.words[number]) for number in asked.tolist()], float)
    zipf, common = np.zeros(slots.candidates), np.zeros((3, slots.candidates))
    unknown = np.isnan(found)
    zipf[asked] = np.where(unknown, 0.0, found)
    best = slots.gathered(np.maximum, zipf)[slots.slot[asked]]
    # What no list counts is taken for as common as the best.
    common[0, asked] = np.where(unknown, best, found)
    common[1, asked] = common[0, asked] - best
    common[2, asked] = found < UNCOMMON
    common[:2] /= 4
    return common


def _written(slots: Slots, lexicon: Lexicon, counted: bool) -> Floats:
    """The log of how often the crowd writes each candidate that has a rival."""
    asked = slots.rivals
    counts = np.array([lexicon.words.get(slots.words[number], 0) for number in asked.tolist()], float)
    written = np.zeros(slots.candidates)
    written[asked] = np.log1p(np.maximum(counts - counted, 0))
    written[slots.empty] = 0.0
    return written


def _context(slots: Slots, leads: Integers, at: Integers) -> Integers:
    """The leading word before each of some slots and after it in its text, by number; -1 for none."""
    number, count, task = np.arange(slots.count), slots.count, slots.task
    said = ~slots.empty[leads]
    # Of each slot, the last that has a word among it and those before, and the next among it and those after.
    last = np.maximum.accumulate(np.where(said, number, -1))
    following = np.minimum.accumulate(np.where(said, number, count)[::-1])[::-1]
    before, after = last[at - 1], following[np.minimum(at + 1, count - 1)]
    preceded = (at > 0) & (before >= 0) & (task[before] == task[at])
    followed = (at + 1 < count) & (after < count) & (task[np.minimum(after, count - 1)] == task[at])
    return np.append(leads, -1)[np.where([preceded, followed], [before, after], -1)]

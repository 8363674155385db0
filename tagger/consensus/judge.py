"""Which word of a slot was spoken, and how sure that is: a small model over each slot's candidates.

A conditional logit: a softmax, over the candidates of a slot and over 'none of them', of weighted sums.
(Hidden units gained nothing on an unseen crowd, and would let one more vote for a word make it less sure.)
What it sees is in `INPUTS`: what the noisy channel believes, the votes, how the same voices do in the rest of
the text, how like the other candidates it is, and how often the crowd writes it, there. Its parameters are in
`transcripts.json`, learned by `bench/learn_transcripts.py` from the crowds that are named in it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from tagger.consensus.lexicon import EDGE, Lexicon, pair
from tagger.consensus.reliability import Belief, Evidence, normalise
from tagger.consensus.slots import Floats, Integers, Slots, on_grid, total

SHIPPED = Path(__file__).parent / "transcripts.json"

INPUTS = (
    *("belief", "share", "votes", "votes against", "no word"),
    *("odds", "odds squared", "log odds", "sum of log odds"),
    *("odds elsewhere", "odds elsewhere squared", "root of odds elsewhere", "sum of log odds elsewhere"),
    *("mean log odds elsewhere", "best log odds elsewhere", "voices before", "voices after"),
    *("closeness", "closest", "longer", "written", "never written"),
    *("pair before", "pair after", "none", "belief in none"),
)

# A voice's share of right words in the rest of a text is taken towards its skill as if by so many words.
OWN_WORDS = 4.0


@dataclass(frozen=True)
class Model:
    """`levels`: numbers of votes; `weights`: a row for each level, of one for each input, for slots with so
    many votes or more; `calibration`: see `confidence`."""

    levels: Integers
    weights: Floats
    calibration: tuple[float, float]

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Model":
        """Raises ValueError for parameters of another version."""
        if tuple(data["inputs"]) != INPUTS:
            raise ValueError("the parameters were learned for other inputs")
        return cls(
            np.array(data["levels"]),
            np.array(data["weights"]),
            (data["calibration"][0], data["calibration"][1]),
        )

    def as_json(self) -> dict[str, Any]:
        """The parameters as they are shipped, to four digits."""
        weights = np.round(self.weights, 4).tolist()
        calibration = np.round(self.calibration, 4).tolist()
        return {
            "inputs": INPUTS,
            "levels": self.levels.tolist(),
            "weights": weights,
            "calibration": calibration,
        }

    def judge(self, slots: Slots, of_words: Floats, of_none: Floats) -> Belief:
        """What was spoken in each slot, by the inputs of `look`."""
        level = np.maximum(np.searchsorted(self.levels, slots.heard, side="right") - 1, 0)
        scores, none = np.zeros(slots.candidates), np.zeros(slots.count)
        for number in np.unique(level):
            here, words = level == number, (level == number)[slots.slot]
            scores[words] = self.weights[number] @ of_words[:, words]
            none[here] = self.weights[number] @ of_none[:, here]
        return normalise(slots, scores, none)

    def confidence(self, errors: Floats, words: Floats) -> Floats:
        """Of texts of so many words in which so many errors are expected, the share of right words.

        1 - exp(a) x^b, where x is the raw share of errors: the model cannot see the words that everybody
        missed.
        """
        offset, power = self.calibration
        share = np.maximum(errors, 1e-9) / np.maximum(words, 1)
        return np.round(1 - np.minimum(np.exp(offset) * share**power, 1.0), 6)


@cache
def shipped() -> Model:
    """The model whose parameters are in the package."""
    return Model.from_json(json.loads(SHIPPED.read_text("utf-8")))


def look(
    evidence: Evidence, belief: Belief, skills: Floats, lexicon: Lexicon, counted: bool
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
    closest = np.zeros(size)
    np.maximum.at(closest, one, evidence.closeness)
    length = np.fromiter(map(len, slots.words), float, size)
    usual = total(length * slots.votes, slot, slots.count) / np.maximum(
        total(slots.votes, slot, slots.count), 1
    )
    written, left, following = _frequencies(slots, slots.leaders(belief.candidates), lexicon, counted)

    def behind_each(values: Floats) -> Floats:
        return total(on_grid(values * weight), chosen, size)

    def share(values: Floats) -> Floats:
        gathered = behind_each(values)
        return gathered / np.maximum(np.add.reduceat(gathered, first), 1e-9)[slot]

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
        closest,
        np.where(slots.empty, 0, length - usual[slot]) / 4,
        written / 4,
        (written == 0) & ~slots.empty,
        left / 3,
        following / 3,
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


def _frequencies(
    slots: Slots, leads: Integers, lexicon: Lexicon, counted: bool
) -> tuple[Floats, Floats, Floats]:
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

"""Which word of a slot was spoken, and how sure that is: a small model over each slot's candidates.

A softmax over the candidates of a slot and over 'none of them', of scores by a perceptron with one hidden layer.
What it sees is in `INPUTS`: what the noisy channel believes, the votes, how the same voices do in the rest of the
text, how like the other candidates it is, and how often the crowd writes it, there. Its parameters are in
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
    *("belief", "share", "votes", "votes against", "voices", "no word"),
    *("odds", "odds squared", "log odds", "sum of log odds"),
    *("odds elsewhere", "odds elsewhere squared", "root of odds elsewhere", "sum of log odds elsewhere"),
    *("mean log odds elsewhere", "best log odds elsewhere", "voices before", "voices after"),
    *("closeness", "closest", "longer", "written", "written against rivals", "never written"),
    *("pair before", "pair after", "pair before against rivals", "pair after against rivals", "none"),
)

# A voice's share of right words in the rest of a text is taken towards its skill as if by so many words.
OWN_WORDS = 4.0


@dataclass(frozen=True)
class Model:
    """`hidden` (inputs x units), `bias` and `out` (units), `direct` (inputs); `calibration`: see `confidence`."""

    hidden: Floats
    bias: Floats
    out: Floats
    direct: Floats
    calibration: tuple[float, float]

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Model":
        if tuple(data["inputs"]) != INPUTS:
            raise ValueError("the parameters were learned for other inputs")
        hidden, bias, out, direct = (np.array(data[name]) for name in ("hidden", "bias", "out", "direct"))
        return cls(hidden, bias, out, direct, tuple(data["calibration"]))

    def as_json(self) -> dict[str, Any]:
        arrays = {
            name: np.round(getattr(self, name), 4).tolist() for name in ("hidden", "bias", "out", "direct")
        }
        return {
            "inputs": list(INPUTS),
            **arrays,
            "calibration": [round(value, 4) for value in self.calibration],
        }

    def scores(self, inputs: Floats) -> Floats:
        return np.tanh(inputs @ self.hidden + self.bias) @ self.out + inputs @ self.direct

    def judge(self, slots: Slots, of_words: Floats, of_none: Floats) -> Belief:
        return normalise(slots, self.scores(of_words), self.scores(of_none))

    def confidence(self, errors: Floats, words: Floats) -> Floats:
        """Of texts of so many words in which so many errors are expected, the share of right words.

        1 - exp(a) x^b, where x is the raw share of errors: the model cannot see the words that everybody missed.
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
    """The inputs of the model, a row for each candidate, and a row for each slot's 'none of them'.

    `counted` says that the lexicon holds the leading texts, which then do not speak for themselves.
    """
    slots = evidence.slots
    if not slots.count:
        return np.empty((0, len(INPUTS))), np.empty((0, len(INPUTS)))
    first, slot, chosen, size = slots.first[:-1], slots.slot, slots.chosen, slots.candidates
    voices = slots.heard[slot].astype(float)
    behind = np.bincount(chosen, minlength=size)
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
    usual = total(length * behind, slot, slots.count) / slots.heard
    written, left, following = _frequencies(slots, slots.leaders(belief.candidates), lexicon, counted)

    def behind_each(values: Floats) -> Floats:
        return total(on_grid(values), chosen, size)

    def share(values: Floats) -> Floats:
        gathered = behind_each(values)
        return gathered / np.add.reduceat(gathered, first)[slot]

    def against_rivals(values: Floats) -> Floats:
        return values - np.maximum.reduceat(values, first)[slot]

    columns = (
        np.log(np.maximum(belief.candidates, 1e-5)) / 4,
        slots.votes / voices,
        np.log1p(slots.votes),
        np.log1p(np.maximum(voices - slots.votes, 0)),
        np.log(voices) - 1.5,
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
        against_rivals(written) / 4,
        (written == 0) & ~slots.empty,
        left / 3,
        following / 3,
        against_rivals(left) / 3,
        against_rivals(following) / 3,
    )
    of_words = np.zeros((size, len(INPUTS)))
    for at, column in enumerate(columns):
        of_words[:, at] = column
    of_none = np.maximum.reduceat(of_words, first)
    of_none[:, 0] = np.log(np.maximum(belief.none, 1e-5)) / 4
    of_none[:, -1] = 1.0
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
    step, cells, task = slots.heard[slots.cell_slot], np.arange(len(believed)), slots.task[slots.cell_slot]
    sides = []
    for neighbour in (np.maximum(cells - step, 0), np.minimum(cells + step, len(believed) - 1)):
        same = (task[neighbour] == task) & (neighbour != cells)
        sides.append(np.where(same, believed[neighbour], 1.0))
    return sides[0], sides[1]


def _frequencies(
    slots: Slots, leads: Integers, lexicon: Lexicon, counted: bool
) -> tuple[Floats, Floats, Floats]:
    """For each candidate, the log of how often the crowd writes it; after the word before; before the word after."""
    before, after = _context(slots, leads)
    words, pairs, at = lexicon.words, lexicon.pairs, slots.slot.tolist()
    counts = np.array(
        [
            [words[word] for word in slots.words],
            [pairs[pair(before[slot], word or after[slot])] for word, slot in zip(slots.words, at, strict=True)],
            [pairs[pair(word or before[slot], after[slot])] for word, slot in zip(slots.words, at, strict=True)],
        ],
        float,
    )
    if counted:
        counts[0] -= 1
        counts[1:, leads] -= 1
    written, left, following = np.log1p(np.maximum(counts, 0))
    return np.where(slots.empty, 0.0, written), left, following


def _context(slots: Slots, leads: Integers) -> tuple[list[str], list[str]]:
    """For each slot, the leading word before it and after it in its text."""
    words, tasks = [slots.words[lead] for lead in leads.tolist()], slots.task.tolist()
    before, after = [], []
    for sides, forth in ((before, 1), (after, -1)):
        last, of = EDGE, -1
        for word, task in zip(words[::forth], tasks[::forth], strict=True):
            sides.append(last if task == of else EDGE)
            last, of = word or (last if task == of else EDGE), task
    return before, after[::-1]

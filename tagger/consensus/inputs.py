"""The inputs of the model in `judge`: what is known of each candidate of a slot, as an array.

An input is a row, a candidate a column. `FixedInputs` holds those that do not depend on what is believed, and
`model_inputs` adds the others, once for each pass of the model.
"""

from dataclasses import dataclass
from itertools import repeat

import numpy as np

from .frequencies import Frequency
from .lexicon import EDGE, Lexicon, pair
from .reliability import Belief, Evidence
from .slots import Booleans, Floats, Integers, Slots, on_grid, sum_at

# The rows, in order. `transcripts.json` names them too, to refuse parameters learned for other inputs.
INPUTS = (
    *("belief", "share", "votes", "votes against", "no word"),
    *("odds", "odds squared", "log odds", "sum of log odds"),
    *("odds elsewhere", "odds elsewhere squared", "root of odds elsewhere", "sum of log odds elsewhere"),
    *("mean log odds elsewhere", "best log odds elsewhere", "voices before", "voices after"),
    *("closeness", "closest", "longer", "written", "never written"),
    *("pair before", "pair after", "common", "less common", "uncommon", "closeness by odds"),
    *("none", "belief in none"),
)

# Pseudo-words of a voice's general skill in its share of right words in the rest of a text.
SKILL_WORDS = 4.0

# Below this Zipf value, about once in 30 million words, a word is more likely a typo.
UNCOMMON = 1.5


@dataclass
class WordUsage:
    """How common the candidates with a rival are, in the crowd's texts and in the language.

    `written` (candidates,): the log of how often the crowd writes each; `common` (3, candidates): see
    `_commonness`; `around` (2, rivals): the leading words before and after each rival at the last call of
    `neighbour_logs`, by candidate, -1 for none; `neighbours` (2, rivals): how often the crowd writes the
    rival next to these. They are kept because look-ups are slow and few leading words change between two
    passes.
    """

    slots: Slots
    lexicon: Lexicon
    counted: bool
    written: Floats
    common: Floats
    around: Integers
    neighbours: Floats

    @classmethod
    def of(cls, slots: Slots, lexicon: Lexicon, frequency: Frequency, counted: bool) -> "WordUsage":
        """`counted`: the lexicon contains the leading texts, which must not be evidence for themselves."""
        written, common = _written(slots, lexicon, counted), _commonness(slots, frequency)
        rivals = len(slots.rivals)
        return cls(slots, lexicon, counted, written, common, np.full((2, rivals), -2), np.zeros((2, rivals)))

    def neighbour_logs(self, leads: Integers) -> Floats:
        """The log of how often the crowd writes each rival after the leading word before it, and before the
        leading word after it: (2, candidates), 0 for candidates without a rival."""
        asked = self.slots.rivals
        at = self.slots.slot[asked]
        around = _context(self.slots, leads, at)
        changed = np.flatnonzero((around != self.around).any(axis=0))
        word, (before, after) = asked[changed], around[:, changed]
        silent = self.slots.empty[word]
        sides = [(before, np.where(silent, after, word)), (np.where(silent, before, word), after)]
        name, count = [*self.slots.words, EDGE].__getitem__, self.lexicon.pairs.get
        for row, (left, right) in zip(self.neighbours, sides, strict=True):
            one, other = map(name, left.tolist()), map(name, right.tolist())
            row[changed] = list(map(count, map(pair, one, other), repeat(0)))
        self.around = around
        found = np.zeros((2, self.slots.candidates))
        counts = self.neighbours - (leads[at] == asked) if self.counted else self.neighbours
        found[:, asked] = np.log1p(np.maximum(counts, 0))
        return found


@dataclass(frozen=True)
class FixedInputs:
    """What is known of slots independently of any belief, so that both passes share it.

    `of_words` (inputs, candidates): the inputs known so far, 0 for the others. For each cell: `weight`, its
    voice's; `step`, the distance in the cells to its voice's previous and next one; `first` and `last`,
    whether it is its voice's first or last in the text; `prior`, the right ones among `SKILL_WORDS` words
    by its voice's skill; `cells`, the words in the rest of its voice's text plus `SKILL_WORDS`.
    """

    evidence: Evidence
    usage: WordUsage
    of_words: Floats
    weight: Floats
    step: Integers
    first: Booleans
    last: Booleans
    prior: Floats
    cells: Floats

    @classmethod
    def of(cls, evidence: Evidence, skills: Floats, usage: WordUsage) -> "FixedInputs":
        """`skills` (annotators, 3): see `reliability.Skill`."""
        slots = evidence.slots
        right = skills[slots.annotator, 0]
        voice = slots.cell_voice
        weight = slots.weight[voice]
        opens = np.ones(slots.count + 1, bool)
        opens[1:-1] = slots.task[1:] != slots.task[:-1]
        prior = SKILL_WORDS * right
        cells = sum_at(np.ones(len(voice)), voice, len(right))
        of_words = np.zeros((len(INPUTS), slots.candidates))
        of_words[1:5] = _votes(slots)
        of_words[5:9] = _skill_odds(slots, np.clip(right, 0.02, 0.98))
        one, other = slots.pairs
        voices = slots.voice_count[slots.slot].astype(float)
        close_votes = on_grid(evidence.closeness * slots.votes[other])
        of_words[17] = sum_at(close_votes, one, slots.candidates) / voices
        of_words[18] = evidence.closest
        of_words[19] = slots.extra_length / 4
        of_words[20] = usage.written / 4
        of_words[21] = (usage.written == 0) & ~slots.empty
        of_words[24:27] = usage.common
        return cls(
            evidence,
            usage,
            of_words,
            weight,
            slots.voice_count[slots.cell_slot],
            opens[:-1][slots.cell_slot],
            opens[1:][slots.cell_slot],
            prior[voice],
            cells[voice] - 1 + SKILL_WORDS,
        )


def model_inputs(fixed: FixedInputs, belief: Belief) -> tuple[Floats, Floats]:
    """The model's inputs for candidates (inputs, candidates), and for "none of them" (inputs, slots)."""
    evidence, slots = fixed.evidence, fixed.evidence.slots
    if not slots.count:
        return np.empty((len(INPUTS), 0)), np.empty((len(INPUTS), 0))
    believed = on_grid(belief.candidates)[slots.chosen]
    elsewhere = on_grid(_log_odds_elsewhere(fixed, believed))
    best = np.full(slots.candidates, -1.0)
    np.maximum.at(best, slots.chosen, elsewhere)
    odds = np.exp(elsewhere)
    before, after = _neighbour_beliefs(fixed, believed)
    by_cell = np.stack([odds, odds**2, np.sqrt(odds), elsewhere, before, after]) * fixed.weight
    sums = _candidate_sums(slots, by_cell)
    slot_sums = np.maximum(slots.reduced(np.add, sums[:3]), 1e-9).take(slots.slot, axis=1)
    weight = np.maximum(slots.votes, 1e-9)
    one, other = slots.pairs

    of_words = fixed.of_words.copy()
    of_words[0] = np.log(np.maximum(belief.candidates, 1e-9)) / 4
    of_words[9:12] = sums[:3] / slot_sums
    of_words[12] = sums[3] / 10
    of_words[13] = sums[3] / weight / 2
    of_words[14] = best / 2
    of_words[15:17] = sums[4:] / weight
    of_words[22:24] = fixed.usage.neighbour_logs(slots.leaders(belief.candidates)) / 3
    close = sum_at(on_grid(evidence.closeness * sums[0, other]), one, slots.candidates)
    of_words[27] = close / slot_sums[0]
    of_none = slots.reduced(np.maximum, of_words)
    of_none[-2] = 1.0
    of_none[-1] = np.log(np.maximum(belief.none, 1e-9)) / 4
    return of_words, of_none


def _candidate_sums(slots: Slots, values: Floats) -> Floats:
    """Sums of `values` (rows, cells) over the cells of each candidate: (rows, candidates)."""
    values = on_grid(values)
    sums = np.empty((len(values), slots.candidates))
    for row, of_cells in zip(sums, values, strict=True):
        row[:] = np.bincount(slots.chosen, of_cells, slots.candidates)
    return sums


def _votes(slots: Slots) -> tuple[Floats, ...]:
    """For each candidate: share of votes, log(1 + votes for it), log(1 + votes against it), is it no word."""
    voices = slots.voice_count[slots.slot].astype(float)
    against = np.log1p(np.maximum(voices - slots.votes, 0))
    return slots.votes / voices, np.log1p(slots.votes), against, slots.empty.astype(float)


def _skill_odds(slots: Slots, right: Floats) -> Floats:
    """For each candidate, by its voices' odds to be right: the slot's share of the odds, of their squares and
    of their logs, and the sum of the logs / 5. `right` (voices,): the voices' share of right words."""
    odds = right / (1 - right)
    logs = np.log(odds)
    by_voice = np.stack([odds, odds**2, np.maximum(logs, 0.05), logs]) * slots.weight
    sums = _candidate_sums(slots, by_voice[:, slots.cell_voice])
    slot_sums = np.maximum(slots.reduced(np.add, sums[:3]), 1e-9)
    sums[:3] /= slot_sums.take(slots.slot, axis=1)
    sums[3] /= 5
    return sums


def _log_odds_elsewhere(fixed: FixedInputs, believed: Floats) -> Floats:
    """For each cell, the log odds that its voice is right, by the voice's other slots of the text.

    `believed` (cells,): the probability that the cell's word is right.
    """
    slots = fixed.evidence.slots
    right = sum_at(believed, slots.cell_voice, len(slots.annotator))
    share = (right[slots.cell_voice] - believed + fixed.prior) / fixed.cells
    share = np.clip(share, 0.001, 0.9999)
    return np.asarray(np.log(share / (1 - share)))


def _neighbour_beliefs(fixed: FixedInputs, believed: Floats) -> tuple[Floats, Floats]:
    """For each cell, how likely its voice's word in the slot before is right; and that in the slot after."""
    cells = np.arange(len(believed))
    before = np.where(fixed.first, 1.0, believed[cells - fixed.step])
    return before, np.where(fixed.last, 1.0, believed[np.minimum(cells + fixed.step, len(cells) - 1)])


def _commonness(slots: Slots, frequency: Frequency) -> Floats:
    """For each candidate: Zipf value / 4, distance to the best in the slot / 4, is it below `UNCOMMON`.

    Shape (3, candidates); 0 for candidates without a rival, and where no list counts any of the rivals.
    """
    asked = slots.rivals[~slots.empty[slots.rivals]]
    found = np.array([frequency(slots.words[number]) for number in asked.tolist()], float)
    zipf, common = np.zeros(slots.candidates), np.zeros((3, slots.candidates))
    unknown = np.isnan(found)
    zipf[asked] = np.where(unknown, 0.0, found)
    best = slots.reduced(np.maximum, zipf)[slots.slot[asked]]
    # A word that no list counts is taken to be as common as the best.
    common[0, asked] = np.where(unknown, best, found)
    common[1, asked] = common[0, asked] - best
    common[2, asked] = found < UNCOMMON
    common[:2] /= 4
    return common


def _written(slots: Slots, lexicon: Lexicon, counted: bool) -> Floats:
    """log(1 + how often the crowd writes it) for each candidate with a rival, else 0: (candidates,)."""
    asked = slots.rivals
    counts = np.array([lexicon.words.get(slots.words[number], 0) for number in asked.tolist()], float)
    written = np.zeros(slots.candidates)
    written[asked] = np.log1p(np.maximum(counts - counted, 0))
    written[slots.empty] = 0.0
    return written


def _context(slots: Slots, leads: Integers, at: Integers) -> Integers:
    """The leading words before and after each slot in `at`, in its text: (2, slots), -1 for none."""
    number, count, task = np.arange(slots.count), slots.count, slots.task
    is_word = ~slots.empty[leads]
    # For each slot: the last slot with a word up to it, and the next one from it on.
    last = np.maximum.accumulate(np.where(is_word, number, -1))
    following = np.minimum.accumulate(np.where(is_word, number, count)[::-1])[::-1]
    before, after = last[at - 1], following[np.minimum(at + 1, count - 1)]
    preceded = (at > 0) & (before >= 0) & (task[before] == task[at])
    followed = (at + 1 < count) & (after < count) & (task[np.minimum(after, count - 1)] == task[at])
    return np.append(leads, -1)[np.where([preceded, followed], [before, after], -1)]

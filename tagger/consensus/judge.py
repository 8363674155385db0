"""The model that decides which word of a slot was spoken, and how sure that is.

A conditional logit (a softmax of weighted sums over the candidates of a slot and "none of them"), and on top
of it boosted trees for the slots in which people differ. It runs in two passes: the first starts from the
belief of the noisy channel (`reliability`), the second from the result of the first, which shows better who
is right in the rest of the text. Its inputs are in `inputs`. Its parameters are in `transcripts.json`,
learned by `bench/learn_transcripts.py` from the crowds that the file names.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np

from .inputs import INPUTS
from .reliability import Belief, normalise
from .slots import Booleans, Floats, Integers, Slots, on_grid

SHIPPED = Path(__file__).parent / "transcripts.json"

# Inputs of which the trees also see the lead over the best rival.
WITH_MARGIN = [
    INPUTS.index(name)
    for name in (
        *("belief", "votes", "odds", "sum of log odds elsewhere", "best log odds elsewhere"),
        *("voices before", "voices after", "written", "pair before", "pair after"),
    )
]

# Candidates that the trees process together, so that everything stays in the processor's cache.
BATCH_SIZE = 512

# The bounds of `mean_error_share`. Below the lower one a crowd is not trusted more: with one vote per task,
# every crowd looks perfect.
ERROR_SHARE_BOUNDS = (0.1, 0.5)


@dataclass(frozen=True)
class Trees:
    """Boosted decision trees that ask the same question at all nodes of a level, which suits numpy.

    `inputs` and `above` (trees, levels): the input that a level tests, and the value it must exceed; `leaves`
    (trees, 2 ** levels): what a tree adds, at the answers read as a binary number, rounded to the grid on
    which sums are exact. There are at most eight levels, so that the number fits a byte.
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
        """What the trees add to each candidate: (candidates,), from `tree_inputs` (inputs, candidates)."""
        if columns.shape[1] > BATCH_SIZE:
            parts = range(0, columns.shape[1], BATCH_SIZE)
            return np.concatenate([self.sum(columns[:, at : at + BATCH_SIZE]) for at in parts])
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
        """The input and the value of each distinct question; which of them each level asks (levels, trees);
        the leaves. Two trees become one with twice the levels where the leaf's number still fits a byte.
        """
        inputs, above, leaves = self.inputs, self.above, self.leaves
        half = len(inputs) // 2
        if len(inputs) == 2 * half and inputs.shape[1] <= 4:
            inputs = np.hstack([inputs[:half], inputs[half:]])
            above = np.hstack([above[:half], above[half:]])
            leaves = (leaves[:half, :, None] + leaves[half:, None]).reshape(half, leaves.shape[1] ** 2)
        nodes = np.stack([inputs.ravel(), above.ravel()])
        distinct, asked = np.unique(nodes, axis=1, return_inverse=True)
        return distinct[0].astype(np.int64), distinct[1], asked.reshape(inputs.shape).T, leaves


@dataclass(frozen=True)
class Model:
    """The learned parameters.

    `levels`: numbers of votes, ascending; `weights` (2 passes, levels, inputs): for slots with at least as
    many votes as the level says; `trees`: used in the second pass; `calibration`: a, b and c of `confidence`.
    """

    levels: Integers
    weights: Floats
    trees: Trees
    calibration: tuple[float, float, float]

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Model":
        """Raises ValueError for parameters that were learned for other inputs."""
        if tuple(data["inputs"]) != INPUTS:
            raise ValueError("the parameters were learned for other inputs")
        return cls(
            np.array(data["levels"]),
            np.array(data["weights"]),
            Trees.from_json(data["trees"]),
            (data["calibration"][0], data["calibration"][1], data["calibration"][2]),
        )

    def as_json(self) -> dict[str, Any]:
        """The parameters as they are shipped, rounded to four decimals."""
        weights = np.round(self.weights, 4).tolist()
        calibration = np.round(self.calibration, 4).tolist()
        return {
            "inputs": INPUTS,
            "levels": self.levels.tolist(),
            "weights": weights,
            "trees": self.trees.as_json(),
            "calibration": calibration,
        }

    def judge(self, slots: Slots, of_words: Floats, of_none: Floats, which_pass: int) -> Belief:
        """The belief in each candidate, from `model_inputs`, in the first (0) or the second pass (1)."""
        level = np.maximum(np.searchsorted(self.levels, slots.voice_count, side="right") - 1, 0)
        scores, none = np.zeros(slots.candidates), np.zeros(slots.count)
        for number in np.flatnonzero(np.bincount(level)).tolist():
            here, words = level == number, (level == number)[slots.slot]
            scores[words] = self.weights[which_pass, number] @ of_words[:, words]
            none[here] = self.weights[which_pass, number] @ of_none[:, here]
            # One more agreeing voice never lowers a unanimous word: its lead is at least that at lower
            # levels.
            agreed = np.flatnonzero(here & (slots.width == 1))
            at = slots.first[agreed]
            fewer = self.weights[which_pass, :number]
            lead = fewer @ of_words[:, at] - fewer @ of_none[:, agreed]
            scores[at] = np.maximum(scores[at], none[agreed] + lead.max(axis=0, initial=-np.inf))
        if which_pass and self.trees.leaves.size:
            judged = contested(slots)
            scores[judged[slots.slot]] += self.trees.sum(tree_inputs(slots, judged, of_words, scores))
        return normalise(slots, scores, none)

    def confidence(self, agreed: Floats, contested: Floats, words: Floats, right: float) -> Floats:
        """The expected share of right words of texts, from the expected errors among their `words`.

        1 - (exp(a) x + exp(b) y) (1 - r)^c, where x are the expected errors a word in places where several
        people agree, y those where they differ or one was alone, and r is the share of right words of the
        crowd's mean annotator: the model cannot see words that everyone missed, and a worse crowd misses more
        of them. How many words are wrong though all agree differs more from crowd to crowd than the rest,
        hence two factors.
        """
        of_agreed, of_contested, crowd = self.calibration
        missed = np.exp(of_agreed) * agreed + np.exp(of_contested) * contested
        missed = missed / np.maximum(words, 1) * mean_error_share(right) ** crowd
        return np.round(1 - np.minimum(missed, 1.0), 6)


def mean_error_share(right: float) -> float:
    """1 - `right`, the share of right words of a crowd's mean annotator, within `ERROR_SHARE_BOUNDS`."""
    least, most = ERROR_SHARE_BOUNDS
    return min(max(1 - float(right), least), most)


@cache
def shipped() -> Model:
    """The model with the parameters in `transcripts.json`."""
    return Model.from_json(json.loads(SHIPPED.read_text("utf-8")))


def contested(slots: Slots) -> Booleans:
    """Whether the trees judge each slot: those with several candidates, and no digits among them.

    Whether a crowd writes numerals in digits cannot be learned from other crowds.
    """
    found = slots.width > 1
    at = slots.rivals
    words = (slots.words[number] for number in at.tolist())
    digits = [not word.isalpha() and any(map(str.isdigit, word)) for word in words]
    found[slots.slot[at[digits]]] = False
    return found


def tree_inputs(slots: Slots, contested: Booleans, of_words: Floats, scores: Floats) -> Floats:
    """The inputs of the trees for each candidate of the contested slots: (tree inputs, candidates).

    They are `of_words`, the leads of `WITH_MARGIN` and of the score over the best rival, the numbers of
    voices and of candidates in the slot, and the score so far.
    """
    at = np.flatnonzero(contested[slots.slot])
    slot = slots.slot[at]
    rows = np.vstack([of_words[WITH_MARGIN], scores])
    best, second = _two_best(slots, rows)
    seen, rows, best = of_words.take(at, axis=1), rows.take(at, axis=1), best.take(slot, axis=1)
    rival = np.where(rows == best, second.take(slot, axis=1), best)
    margins = np.where(np.isfinite(rival), rows - rival, 0.0)
    return np.round(np.vstack([seen, margins, slots.voice_count[slot], slots.width[slot], scores[at]]), 6)


def _two_best(slots: Slots, rows: Floats) -> tuple[Floats, Floats]:
    """The highest and the second value in each slot, for `rows` (rows, candidates): each (rows, slots)."""
    best = rows.take(slots.first[:-1], axis=1)
    second = np.full(best.shape, -np.inf)
    for at, candidates in slots.further:
        one, other = best.take(at, axis=1), rows.take(candidates, axis=1)
        best[:, at] = np.maximum(one, other)
        second[:, at] = np.maximum(second.take(at, axis=1), np.minimum(one, other))
    return best, second

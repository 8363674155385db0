"""Learn the parameters of `tagger/consensus/transcripts.json` from crowds whose true texts are known.

    python -m bench.learn_transcripts CROWD… > tagger/consensus/transcripts.json

Each CROWD is a folder of `votes.csv` (task, worker, text) and `gold.csv` (task, text). Every crowd is learned
from as it would be with so many `VOTES` a task, as what tells right from wrong differs.
"""

import csv
import json
import pathlib
import random
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from rapidfuzz.distance import Levenshtein
from scipy.optimize import minimize

from datasets.normalise import words
from tagger.consensus import judge, reliability, transcripts
from tagger.consensus.judge import INPUTS, Model
from tagger.consensus.slots import Booleans, Floats, Integers, Slots
from tagger.consensus.verdict import Vote

VOTES = (1, 2, 3, 5, 7)
DECAY, ROUNDS = 1e-5, 300

# Of slots on which everybody agrees, which are many and teach little, one in so many is learned from.
AGREED = 5

# One more vote for a word, or one fewer against it, never makes it less likely.
RISING = ("belief", "share", "votes", "odds", "odds squared", "log odds", "sum of log odds", "belief in none")
FALLING = ("votes against",)
BOUNDS = [(0.0 if name in RISING else None, 0.0 if name in FALLING else None) for name in INPUTS]


class Labelled(NamedTuple):
    """A crowd: the votes on each task, and its true text."""

    tasks: list[list[Vote]]
    truth: list[str]


def read(folder: pathlib.Path) -> Labelled:
    """The crowd of a folder, tasks in order of first appearance."""
    tasks: dict[str, list[Vote]] = {}
    with (folder / "votes.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            tasks.setdefault(row["task"], []).append(Vote(row["worker"], row["text"]))
    with (folder / "gold.csv").open(encoding="utf-8", newline="") as file:
        truth = {row["task"]: row["text"] for row in csv.DictReader(file)}
    return Labelled(list(tasks.values()), [truth[task] for task in tasks])


def thinned(tasks: Sequence[Sequence[Vote]], votes: int, seed: int) -> list[list[Vote]]:
    """So many votes of each task, at random."""
    chance = random.Random(seed)
    return [chance.sample(list(given), min(votes, len(given))) for given in tasks]


@dataclass(frozen=True)
class Examples:
    """Slots to learn from: `inputs`, a row for each answer to a slot; `slot`, each row's, in order; `right`,
    the row that is right in each slot."""

    inputs: Floats
    slot: Integers
    right: Integers

    @classmethod
    def of(cls, study: transcripts.Study, truth: Sequence[str]) -> "Examples":
        parts = []
        start = 0
        for evidence in study.chunks:
            slots = evidence.slots
            tasks = len(slots.voices) - 1
            texts = [truth[place] for place in study.order[start : start + tasks]]
            start += tasks
            belief = reliability.believe(evidence, study.skills)
            inputs = judge.look(evidence, belief, study.skills, study.crowd.lexicon, True)
            right = label(slots, texts)
            right = np.where(right >= 0, right, slots.candidates + np.arange(slots.count))
            kept = (slots.width > 1) | (np.arange(slots.count) % AGREED == 0)
            parts.append(
                cls._kept(
                    np.hstack(inputs).T, np.concatenate([slots.slot, np.arange(slots.count)]), right, kept
                )
            )
        return joined(parts)

    @classmethod
    def _kept(cls, inputs: Floats, slot: Integers, right: Integers, kept: Booleans) -> "Examples":
        """The rows of the slots that are kept, those of a slot side by side."""
        rows = np.flatnonzero(kept[slot])
        rows = rows[np.argsort(slot[rows], kind="stable")]
        place = np.full(len(slot), -1)
        place[rows] = np.arange(len(rows))
        return cls(inputs[rows], (np.cumsum(kept) - 1)[slot[rows]], place[right[kept]])


def joined(parts: Iterable[Examples]) -> Examples:
    """Examples of several crowds as one."""
    inputs, slot, right = [], [], []
    rows = slots = 0
    for part in parts:
        inputs.append(part.inputs)
        slot.append(part.slot + slots)
        right.append(part.right + rows)
        rows, slots = rows + len(part.slot), slots + len(part.right)
    return Examples(np.concatenate(inputs), np.concatenate(slot), np.concatenate(right))


def label(slots: Slots, truth: Sequence[str]) -> Integers:
    """The right candidate of each slot by the cheapest alignment with the true text; -1: none of them."""
    right = np.full(slots.count, -1)
    ends = np.searchsorted(slots.task, np.arange(len(truth) + 1))
    for text, start, end in zip(truth, ends[:-1].tolist(), ends[1:].tolist(), strict=True):
        columns = [
            {slots.words[at]: at for at in range(slots.first[slot], slots.first[slot + 1])}
            for slot in range(start, end)
        ]
        right[start:end] = _aligned(columns, words(text))
    return right


def _aligned(columns: list[dict[str, int]], text: list[str]) -> list[int]:
    # Each entry: cost so far, how many true words the slot takes (-1: the word is in no slot), its candidate.
    table = [[(float(j), -1, -1) for j in range(len(text) + 1)]]
    for column in columns:
        above = table[-1]
        row: list[tuple[float, int, int]] = []
        widest = max(word.count(" ") for word in column) + 1
        for j in range(len(text) + 1):
            options = [(above[j][0] + ("" not in column), 0, column.get("", -1))]
            for width in range(1, min(widest, j) + 1):
                found = column.get(" ".join(text[j - width : j]), -1)
                if found >= 0 or width == 1:
                    options.append((above[j - width][0] + (found < 0), width, found))
            if j:
                options.append((row[j - 1][0] + 1, -1, -1))
            row.append(min(options, key=lambda option: (option[0], option[2] < 0)))
        table.append(row)
    right = [-1] * len(columns)
    i, j = len(columns), len(text)
    while i or j:
        _, width, found = table[i][j]
        if width < 0:
            j -= 1
        else:
            right[i - 1] = found
            i, j = i - 1, j - width
    return right


def train(examples: Examples) -> Floats:
    """The weights that give the right rows the highest likelihood, by L-BFGS from nought."""
    inputs, slot, right = examples.inputs, examples.slot, examples.right
    first = np.searchsorted(slot, np.arange(len(right)))
    told = inputs[right].sum(axis=0)

    def loss(weights: Floats) -> tuple[float, Floats]:
        scores = inputs @ weights
        top = np.maximum.reduceat(scores, first)
        shares = np.exp(scores - top[slot])
        sums = np.add.reduceat(shares, first)
        value = (top + np.log(sums) - scores[right]).mean() + DECAY * weights @ weights
        return value, (inputs.T @ (shares / sums[slot]) - told) / len(right) + 2 * DECAY * weights

    found = minimize(loss, np.zeros(inputs.shape[1]), jac=True, bounds=BOUNDS, options={"maxiter": ROUNDS})
    return found.x


def errors(text: str, truth: str) -> int:
    return Levenshtein.distance(words(text), words(truth))


def calibrate(model: Model, crowds: Sequence[tuple[Sequence[Sequence[Vote]], Sequence[str]]]) -> Model:
    """The model with the offset and the power that make the expected errors those that were counted."""
    plain = replace(model, calibration=(0.0, 1.0))
    shares, wrong, lengths = [], [], []
    for tasks, truth in crowds:
        found = transcripts.fit(tasks, model=plain)
        shares.append(1 - np.array(found.confidences))
        wrong.append([errors(text, true) for text, true in zip(found.texts, truth, strict=True)])
        lengths.append([max(len(words(text)), 1) for text in found.texts])
    share, count, length = (np.concatenate(values).astype(float) for values in (shares, wrong, lengths))
    share = np.maximum(share, 1e-6)

    def misfit(values: Floats) -> float:
        expected = np.exp(values[0]) * share ** values[1] * length
        return float((expected - count * np.log(expected + 1e-9)).mean())  # Poisson likelihood

    found = minimize(misfit, np.array([0.0, 1.0]), method="Nelder-Mead")
    return replace(model, calibration=(float(found.x[0]), float(found.x[1])))


def learn(crowds: Sequence[Labelled]) -> Model:
    """The model of these crowds, thinned to each number of votes."""
    weights, views = [], []
    for votes in VOTES:
        thin = [(thinned(crowd.tasks, votes, seed), crowd.truth) for seed, crowd in enumerate(crowds)]
        weights.append(train(joined(Examples.of(transcripts.study(tasks), truth) for tasks, truth in thin)))
        views += thin
    return calibrate(Model(np.array(VOTES), np.array(weights), (0.0, 1.0)), views)


def main(folders: Sequence[str]) -> None:
    crowds = [read(pathlib.Path(folder)) for folder in folders]
    learned: Mapping[str, object] = {
        "source": [pathlib.Path(folder).name for folder in folders],
        **learn(crowds).as_json(),
    }
    json.dump(learned, sys.stdout, indent=1)


if __name__ == "__main__":
    main(sys.argv[1:])

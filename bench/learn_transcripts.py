"""Learn the parameters of `tagger/consensus/transcripts.json` from crowds whose true texts are known.

    python -m bench.learn_transcripts CROWD… > tagger/consensus/transcripts.json

Each CROWD is a folder of `votes.csv` (task, worker, text) and `gold.csv` (task, text). The model is learned
for each number of `VOTES` a task, because the evidence for a right answer differs with it.
"""

import csv
import json
import pathlib
import random
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import NamedTuple

import numpy as np
from rapidfuzz.distance import Levenshtein
from scipy.optimize import minimize

from datasets.normalise import words
from tagger.consensus import judge, reliability, transcripts
from tagger.consensus.inputs import INPUTS, model_inputs
from tagger.consensus.judge import WITH_MARGIN, Model, Trees
from tagger.consensus.passes import first_pass
from tagger.consensus.reliability import Belief
from tagger.consensus.slots import Booleans, Floats, Integers, Slots, on_grid
from tagger.consensus.study import Study, study_crowd
from tagger.consensus.verdict import Vote

VOTES = (1, 2, 3, 5, 7)
DECAY, ROUNDS = 1e-5, 300

# Boosting: the number of trees and their depth, the learning rate, the share of slots that each tree sees,
# the L2 regularisation of leaf values, the number of bins of an input.
TREES, DEPTH, STEP, SEEN, REGULARISATION, BINS = 120, 4, 0.1, 0.3, 20.0, 32

# The exponent of a crowd's own error share in the expected errors of its texts. One or two crowds are too few
# to learn it, so it is halfway between no influence and the 1.3 under which two crowds, each judged by a
# model of the other, are as good as was expected.
CROWD = 0.65

# One in this many of the slots on which all agree is learned from: they are many and teach little.
AGREED = 5

# More of these inputs never makes a word less likely (RISING) or more likely (FALLING).
RISING = ("belief", "share", "votes", "odds", "odds squared", "log odds", "sum of log odds", "belief in none")
FALLING = ("votes against",)
UPWARDS = {
    *(INPUTS.index(name) for name in RISING),
    *range(len(INPUTS), len(INPUTS) + 3),  # the leads in belief, votes and odds
    len(INPUTS) + len(WITH_MARGIN),  # the lead in the score so far
    len(INPUTS) + len(WITH_MARGIN) + 3,  # the score so far
}
BOUNDS = [(0.0 if name in RISING else None, 0.0 if name in FALLING else None) for name in INPUTS]


class TranscribedCrowd(NamedTuple):
    """A crowd: the votes on each task, and its true text."""

    tasks: list[list[Vote]]
    truth: list[str]


def read(folder: pathlib.Path) -> TranscribedCrowd:
    """The crowd of a folder, tasks in order of first appearance."""
    tasks: dict[str, list[Vote]] = {}
    with (folder / "votes.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            tasks.setdefault(row["task"], []).append(Vote(row["worker"], row["text"]))
    with (folder / "gold.csv").open(encoding="utf-8", newline="") as file:
        truth = {row["task"]: row["text"] for row in csv.DictReader(file)}
    return TranscribedCrowd(list(tasks.values()), [truth[task] for task in tasks])


def thinned(tasks: Sequence[Sequence[Vote]], votes: int, seed: int) -> list[list[Vote]]:
    """At most this many votes of each task, chosen at random."""
    chance = random.Random(seed)
    return [chance.sample(list(given), min(votes, len(given))) for given in tasks]


@dataclass(frozen=True)
class Examples:
    """Slots to learn from: `inputs` has a row for each answer to a slot, `slot` the slot of each row, in
    order, and `right` the right row of each slot."""

    inputs: Floats
    slot: Integers
    right: Integers

    @classmethod
    def of(cls, views: Iterable["SlotView"]) -> "Examples":
        parts = []
        for slots, (of_words, of_none), answers in views:
            right = np.where(answers >= 0, answers, slots.candidates + np.arange(slots.count))
            kept = (slots.width > 1) | (np.arange(slots.count) % AGREED == 0)
            inputs, slot = np.hstack([of_words, of_none]).T, np.append(slots.slot, np.arange(slots.count))
            parts.append(cls._kept(inputs, slot, right, kept))
        return joined(parts)

    @classmethod
    def _kept(cls, inputs: Floats, slot: Integers, right: Integers, kept: Booleans) -> "Examples":
        """The rows of the slots that are kept, grouped by slot."""
        rows = np.flatnonzero(kept[slot])
        rows = rows[np.argsort(slot[rows], kind="stable")]
        place = np.full(len(slot), -1)
        place[rows] = np.arange(len(rows))
        return cls(inputs[rows], (np.cumsum(kept) - 1)[slot[rows]], place[right[kept]])


class SlotView(NamedTuple):
    """Slots, their model inputs, and the right candidate of each; -1 where no candidate is right."""

    slots: Slots
    inputs: tuple[Floats, Floats]
    right: Integers


def slot_views(study: Study, beliefs: Sequence[Belief], labels: Sequence[Integers]) -> list[SlotView]:
    return [
        SlotView(evidence.slots, model_inputs(study.fixed_inputs(evidence), belief), right)
        for evidence, belief, right in zip(study.chunks, beliefs, labels, strict=True)
    ]


def labelled(study: Study, truth: Sequence[str]) -> list[Integers]:
    """The right candidate of each slot, for each chunk."""
    places = iter(study.order)
    return [
        label(evidence.slots, [truth[place] for place in islice(places, len(evidence.slots.voices) - 1)])
        for evidence in study.chunks
    ]


def joined(parts: Iterable[Examples]) -> Examples:
    """The examples of several crowds together."""
    inputs, slot, right = [], [], []
    rows = slots = 0
    for part in parts:
        inputs.append(part.inputs)
        slot.append(part.slot + slots)
        right.append(part.right + rows)
        rows, slots = rows + len(part.slot), slots + len(part.right)
    return Examples(np.concatenate(inputs), np.concatenate(slot), np.concatenate(right))


def label(slots: Slots, truth: Sequence[str]) -> Integers:
    """The right candidate of each slot by the cheapest alignment with the true text; -1: none is right."""
    right = np.full(slots.count, -1)
    ends = np.searchsorted(slots.task, np.arange(len(truth) + 1))
    for text, start, end in zip(truth, ends[:-1].tolist(), ends[1:].tolist(), strict=True):
        columns = [
            {slots.words[at]: at for at in range(slots.first[slot], slots.first[slot + 1])}
            for slot in range(start, end)
        ]
        right[start:end] = _aligned(columns, words(text, "en"))
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
    """The weights that give the right rows the highest likelihood, by L-BFGS starting from zero."""
    inputs, slot, right = examples.inputs, examples.slot, examples.right
    first = np.searchsorted(slot, np.arange(len(right)))
    observed = inputs[right].sum(axis=0)

    def loss(weights: Floats) -> tuple[float, Floats]:
        scores = inputs @ weights
        top = np.maximum.reduceat(scores, first)
        shares = np.exp(scores - top[slot])
        sums = np.add.reduceat(shares, first)
        value = (top + np.log(sums) - scores[right]).mean() + DECAY * weights @ weights
        return value, (inputs.T @ (shares / sums[slot]) - observed) / len(right) + 2 * DECAY * weights

    found = minimize(loss, np.zeros(inputs.shape[1]), jac=True, bounds=BOUNDS, options={"maxiter": ROUNDS})
    return found.x


def errors(text: str, truth: str) -> int:
    return Levenshtein.distance(words(text, "en"), words(truth, "en"))


def calibrate(model: Model, crowds: Sequence[tuple[Sequence[Sequence[Vote]], Sequence[str]]]) -> Model:
    """The model with the factors under which the expected errors match the counted ones."""
    parts = []
    for tasks, truth in crowds:
        # What one factor alone would make of the errors is the sum that belongs to it.
        agreed, contested = (
            transcripts.fit(tasks, model=replace(model, calibration=each))
            for each in ((0.0, -np.inf, 0.0), (-np.inf, 0.0, 0.0))
        )
        wrong = [errors(text, true) for text, true in zip(agreed.texts, truth, strict=True)]
        lengths = np.array([max(len(words(text, "en")), 1) for text in agreed.texts])
        shares = [(1 - np.array(each.confidences)) * lengths for each in (agreed, contested)]
        missed = judge.mean_error_share(agreed.crowd.pool.right) ** CROWD
        parts.append(np.stack([*shares, wrong]) * np.array([[missed], [missed], [1]]))
    of_agreed, of_contested, count = np.concatenate(parts, axis=1)

    def misfit(values: Floats) -> float:
        expected = np.exp(values[0]) * of_agreed + np.exp(values[1]) * of_contested
        return float((expected - count * np.log(expected + 1e-9)).mean())  # Poisson likelihood

    found = minimize(misfit, np.array([0.0, 1.0]), method="Nelder-Mead")
    return replace(model, calibration=(float(found.x[0]), float(found.x[1]), CROWD))


@dataclass(frozen=True)
class Contested:
    """What boosting learns from. For each candidate of a contested slot: the trees' `inputs`, its `slot`, and
    its `score` so far. For each slot: the score of `none`, and the `right` row; -1: none is right."""

    inputs: Floats
    slot: Integers
    score: Floats
    none: Floats
    right: Integers

    @classmethod
    def of(cls, view: SlotView, weights: Floats) -> "Contested":
        slots, (of_words, of_none), answers = view
        contested = judge.contested(slots)
        at = np.flatnonzero(contested[slots.slot])
        place = np.full(slots.candidates + 1, -1)
        place[at] = np.arange(len(at))
        score = weights @ of_words
        return cls(
            judge.tree_inputs(slots, contested, of_words, score).T,
            (np.cumsum(contested) - 1)[slots.slot[at]],
            score[at],
            (weights @ of_none)[contested],
            place[answers[contested]],
        )

    @classmethod
    def joined(cls, parts: Sequence["Contested"]) -> "Contested":
        rows = np.cumsum([0, *(len(part.slot) for part in parts)]).tolist()
        slots = np.cumsum([0, *(len(part.none) for part in parts)]).tolist()
        return cls(
            np.concatenate([part.inputs for part in parts]),
            np.concatenate([part.slot + start for part, start in zip(parts, slots, strict=False)]),
            np.concatenate([part.score for part in parts]),
            np.concatenate([part.none for part in parts]),
            np.concatenate(
                [
                    np.where(part.right < 0, -1, part.right + start)
                    for part, start in zip(parts, rows, strict=False)
                ]
            ),
        )


def boost(examples: Contested) -> Trees:
    """Trees that successively raise the likelihood of the right rows, by Newton's method.

    J. H. Friedman, Greedy function approximation: a gradient boosting machine (2001),
    doi:10.1214/aos/1013203451; each level asks one question, as in L. Prokhorenkova et al., CatBoost (2018),
    arXiv:1706.09516.
    """
    chance = np.random.default_rng(0)
    first = np.searchsorted(examples.slot, np.arange(len(examples.none)))
    truth = np.zeros(len(examples.slot))
    truth[examples.right[examples.right >= 0]] = 1
    steps = np.linspace(0, 1, BINS + 1)[1:-1]
    cuts = [np.unique(np.round(np.quantile(column, steps), 4)) for column in examples.inputs.T]
    binned = np.array(
        [np.searchsorted(cut, column) for cut, column in zip(cuts, examples.inputs.T, strict=True)]
    )
    score, asked, above, leaves = examples.score.copy(), [], [], []
    for _ in range(TREES):
        top = np.maximum(np.maximum.reduceat(score, first), examples.none)
        raised = np.exp(score - top[examples.slot])
        whole = np.add.reduceat(raised, first) + np.exp(examples.none - top)
        share = raised / whole[examples.slot]
        seen = np.flatnonzero((chance.random(len(first)) < SEEN)[examples.slot])
        inputs = chance.permutation(len(cuts))[: len(cuts) // 2].tolist()
        pull, weight = (truth - share)[seen], (share * (1 - share))[seen]
        tree = _grow(binned[:, seen], [(number, len(cuts[number]) + 1) for number in inputs], pull, weight)
        (levels, bins), values = tree
        asked.append(levels)
        above.append([float(cuts[level][bin]) for level, bin in zip(levels, bins, strict=True)])
        leaves.append(on_grid(np.round(STEP * values, 4)))
        last = Trees(np.array(asked[-1:]), np.array(above[-1:]), np.array(leaves[-1:]))
        score += last.sum(examples.inputs.T)
    return Trees(np.array(asked), np.array(above), np.array(leaves))


def _grow(
    binned: Integers, inputs: Sequence[tuple[int, int]], pull: Floats, weight: Floats
) -> tuple[tuple[list[int], list[int]], Floats]:
    """One tree: for each level the input and the bin it must be above, and the value of each leaf.

    `inputs`: those that may be used, with their numbers of bins.
    """
    leaf = np.zeros(binned.shape[1], np.int64)
    levels: list[int] = []
    bins: list[int] = []
    for depth in range(DEPTH):
        best = (-1.0, 0, 0)
        for number, size in inputs:
            if size < 2:
                continue
            code, shape = leaf * size + binned[number], (1 << depth, size)
            pulls = np.bincount(code, pull, shape[0] * size).reshape(shape).cumsum(axis=1)
            weights = np.bincount(code, weight, shape[0] * size).reshape(shape).cumsum(axis=1)
            below, above = pulls[:, :-1], pulls[:, -1:] - pulls[:, :-1]
            light, heavy = (
                weights[:, :-1] + REGULARISATION,
                weights[:, -1:] - weights[:, :-1] + REGULARISATION,
            )
            gain = below**2 / light + above**2 / heavy
            if number in UPWARDS:
                whole = (below + above) ** 2 / (weights[:, -1:] + REGULARISATION)
                gain = np.where(below / light > above / heavy, whole, gain)
            gains = gain.sum(axis=0)
            best = max(best, (float(gains.max()), number, int(gains.argmax())))
        levels.append(best[1])
        bins.append(best[2])
        leaf = 2 * leaf + (binned[best[1]] > best[2])
    pulls, weights = (np.bincount(leaf, values, 1 << DEPTH) for values in (pull, weight))
    weights += REGULARISATION
    return (levels, bins), _rising(pulls / weights, weights, levels)


def _rising(values: Floats, weights: Floats, levels: Sequence[int]) -> Floats:
    """The leaf values, averaged where more of an input of `UPWARDS` would make a word less likely."""
    values = values.copy()
    for _ in range(DEPTH):
        for depth, level in enumerate(levels):
            if level in UPWARDS:
                sides = values.reshape(1 << depth, 2, -1)
                share = weights.reshape(1 << depth, 2, -1)
                mean = (sides * share).sum(axis=1) / share.sum(axis=1)
                sides[:] = np.where((sides[:, 0] > sides[:, 1])[:, None], mean[:, None], sides)
    return values


def learn(crowds: Sequence[TranscribedCrowd]) -> Model:
    """The model of these crowds, thinned to each number of votes."""
    model = Model(np.array(VOTES), np.zeros((2, len(VOTES), len(INPUTS))), Trees.none(), (0.0, 1.0, CROWD))
    views, contested = [], []
    for level, votes in enumerate(VOTES):
        thin = [(thinned(crowd.tasks, votes, seed), crowd.truth) for seed, crowd in enumerate(crowds)]
        views += thin
        studies = [study_crowd(tasks) for tasks, _ in thin]
        labels = [labelled(study, truth) for study, (_, truth) in zip(studies, thin, strict=True)]
        beliefs = [[reliability.believe(each, study.skills) for each in study.chunks] for study in studies]
        slots = [*chain(*map(slot_views, studies, beliefs, labels))]
        model.weights[0, level] = train(Examples.of(slots))
        beliefs = [
            [first_pass(study.fixed_inputs(each), study.skills, model) for each in study.chunks]
            for study in studies
        ]
        again = [study.with_skills_from(believed) for study, believed in zip(studies, beliefs, strict=True)]
        slots = [*chain(*map(slot_views, again, beliefs, labels))]
        model.weights[1, level] = train(Examples.of(slots))
        if votes > 1:
            contested += [Contested.of(each, model.weights[1, level]) for each in slots]
    return calibrate(replace(model, trees=boost(Contested.joined(contested))), views)


def main(folders: Sequence[str]) -> None:
    crowds = [read(pathlib.Path(folder)) for folder in folders]
    learned: Mapping[str, object] = {
        "source": [pathlib.Path(folder).name for folder in folders],
        **learn(crowds).as_json(),
    }
    json.dump(learned, sys.stdout)
    print()


if __name__ == "__main__":
    main(sys.argv[1:])

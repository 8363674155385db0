"""Labels compared with other methods: accuracy, calibration, stopping early, speed, one decision."""

import csv
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from crowdkit.aggregation import GLAD, MACE, MMSR, DawidSkene, MajorityVote, OneCoinDawidSkene

from tagger.consensus import labels, replays, tempering
from tagger.consensus.verdict import Rule, Vote

ROOT = Path(__file__).resolve().parents[1]
BINS = 10
CONFIDENCES = (0.7, 0.75, 0.8, 0.85)
# Known tasks of a set, and how often they are drawn; votes on a task of made crowds.
KNOWN, DRAWS, MANY = (0, 50, 100, 200), 20, (5, 30, 100, 370)
# The simulated crowd for measuring speed.
TASKS, EACH, WORKERS, CLASSES = 1_000_000, 10, 20_000, 4

Floats = npt.NDArray[np.floating]
Integers = npt.NDArray[np.integer]


@dataclass(frozen=True)
class LabelledCrowd:
    """A real crowd in numbers: votes row by row, `gold` by task (-1: unknown)."""

    name: str
    tasks: Integers
    workers: Integers
    answers: Integers
    classes: int
    gold: Integers


def main(data: Path) -> None:
    crowds = [load(folder) for folder in sorted((data / "labels").iterdir()) if folder.is_dir()]
    accuracy_and_calibration(crowds)
    tempering_by_known(crowds)
    many_votes()
    stopping(crowds)
    deciding()
    rate()


def load(folder: Path) -> LabelledCrowd:
    with (folder / "votes.csv").open() as file:
        rows = [(row["task"], row["worker"], row["label"]) for row in csv.DictReader(file)]
    with (folder / "gold.csv").open() as file:
        gold = {row["task"]: row["label"] for row in csv.DictReader(file)}
    (names, tasks), (_, workers), _ = (
        np.unique(column, return_inverse=True) for column in zip(*rows, strict=True)
    )
    classes = sorted({label for _, _, label in rows} | set(gold.values()))
    number = {label: k for k, label in enumerate(classes)}
    return LabelledCrowd(
        name=folder.name,
        tasks=tasks,
        workers=workers,
        answers=np.array([number[label] for _, _, label in rows]),
        classes=len(classes),
        gold=np.array([number[gold[task]] if task in gold else -1 for task in names]),
    )


def accuracy(posterior: Floats, gold: Integers) -> float:
    """In percent; tied leaders share the point."""
    return 100 * float(_right(posterior, gold).mean())


def calibration_error(posterior: Floats, gold: Integers) -> float:
    """The expected calibration error of the leader's probability, in ten bins of equal width."""
    confidence, right = posterior[gold >= 0].max(1), _right(posterior, gold)
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    return sum(abs((confidence - right)[bins == b].sum()) for b in range(BINS)) / len(right)


def _right(posterior: Floats, gold: Integers) -> Floats:
    judged = np.flatnonzero(gold >= 0)
    return np.asarray(labels.leading(posterior[judged])[np.arange(len(judged)), gold[judged]])


def ours(crowd: LabelledCrowd) -> Floats:
    return labels.fit(crowd.tasks, crowd.workers, crowd.answers, crowd.classes).posterior


def peer(method: Callable[[], Any], found: str) -> Callable[[LabelledCrowd], Floats]:
    """A method's probabilities, in its attribute `found` after `fit`; or its `labels`, with probability 1."""

    def run(crowd: LabelledCrowd) -> Floats:
        votes = pd.DataFrame({"task": crowd.tasks, "worker": crowd.workers, "label": crowd.answers})
        table = method().fit_predict(votes) if found == "labels" else getattr(method().fit(votes), found)
        if table.ndim == 1:
            table = pd.get_dummies(table, dtype=float)
        wide = table.reindex(index=range(len(crowd.gold)), columns=range(crowd.classes))
        return np.asarray(wide.fillna(0).to_numpy(float))

    return run


METHODS: dict[str, Callable[[LabelledCrowd], Floats]] = {
    "majority (crowd-kit)": peer(MajorityVote, "probas_"),
    "Dawid-Skene (crowd-kit)": peer(DawidSkene, "probas_"),
    "one-coin (crowd-kit)": peer(OneCoinDawidSkene, "probas_"),
    "GLAD (crowd-kit)": peer(GLAD, "probas_"),
    "MACE (crowd-kit)": peer(MACE, "probas_"),
    "MMSR, labels only (crowd-kit)": peer(MMSR, "labels"),
    "ours": ours,
}


def accuracy_and_calibration(crowds: list[LabelledCrowd]) -> None:
    print("Accuracy in percent / expected calibration error; processor seconds for all")
    print(f"{'':32}" + "".join(f"{crowd.name[:10]:>12}" for crowd in crowds) + f"{'mean':>14}{'s':>8}")
    for name, method in METHODS.items():
        began = time.process_time()
        found = [method(crowd) for crowd in crowds]
        took = time.process_time() - began
        pairs = [(crowd.gold, posterior) for crowd, posterior in zip(crowds, found, strict=True)]
        right = [accuracy(posterior, gold) for gold, posterior in pairs]
        error = [calibration_error(posterior, gold) for gold, posterior in pairs]
        cells = "".join(f"{a:7.1f}/{e:.2f}" + " " for a, e in zip(right, error, strict=True))
        print(f"{name:32}{cells}{np.mean(right):8.1f}/{np.mean(error):.3f}{took:8.1f}")


def tempering_by_known(crowds: list[LabelledCrowd]) -> None:
    """Calibration errors of the engine on the other tasks, with so many known tasks of each set."""
    print(f"\nCalibration error of ours by the number of known tasks, mean of {DRAWS} draws")
    print(f"{'':32}" + "".join(f"{crowd.name[:10]:>12}" for crowd in crowds) + f"{'mean':>14}")
    fits = [labels.fit(crowd.tasks, crowd.workers, crowd.answers, crowd.classes) for crowd in crowds]
    for number in KNOWN:
        cells = [
            np.mean([_tempered_error(fit.posterior, crowd.gold, number, seed) for seed in range(DRAWS)])
            for fit, crowd in zip(fits, crowds, strict=True)
        ]
        print(f"{number:<32}" + "".join(f"{each:12.3f}" for each in cells) + f"{np.mean(cells):14.3f}")


def _tempered_error(posterior: Floats, gold: Integers, number: int, seed: int) -> float:
    judged = np.random.default_rng(seed).permutation(np.flatnonzero(gold >= 0))
    number = min(number, len(judged) // 2)
    known, others = judged[:number], judged[number:]
    power = tempering.learn(posterior[known], gold[known])
    return calibration_error(tempering.tempered(posterior[others], power.value), gold[others])


def many_votes() -> None:
    """Made crowds who hear the same, which is not always what is said."""
    print(
        "\nVery many votes on a task: accuracy in percent, mean of three crowds of 250 tasks in four classes"
    )
    names = ("majority (crowd-kit)", "Dawid-Skene (crowd-kit)", "ours")
    print(f"{'':32}" + "".join(f"{votes:>12}" for votes in MANY))
    made = {votes: [_heard_alike(seed, votes) for seed in range(3)] for votes in MANY}
    for name in names:
        right = [
            np.mean([accuracy(METHODS[name](each), each.gold) for each in made[votes]]) for votes in MANY
        ]
        print(f"{name:32}" + "".join(f"{each:12.1f}" for each in right))


def _heard_alike(seed: int, votes: int, clips: int = 250, people: int = 900) -> LabelledCrowd:
    dice = np.random.default_rng(seed)
    truth = dice.choice(CLASSES, clips, p=(0.4, 0.3, 0.2, 0.1))
    sounds = dice.normal(0, 0.8, (clips, CLASSES))
    sounds[np.arange(clips), truth] += 1.6
    leaning = dice.normal(0, 0.8, (people, CLASSES))
    tasks = np.repeat(np.arange(clips), votes)
    workers = np.concatenate([dice.choice(people, votes, replace=False) for _ in range(clips)])
    heard = (sounds[tasks] + leaning[workers] + dice.gumbel(size=(tasks.size, CLASSES))).argmax(1)
    return LabelledCrowd("", tasks, workers, heard, CLASSES, truth)


def stopping(crowds: list[LabelledCrowd]) -> None:
    print("\nStopping early: accuracy in percent @ share of all votes, by the confidence to reach (seed 1)")
    print(f"{'':14}{'majority':>10}" + "".join(f"{confidence:>14}" for confidence in CONFIDENCES))
    lines = []
    for crowd in crowds:
        each = len(crowd.tasks) / len(crowd.gold)
        whole = accuracy(METHODS["majority (crowd-kit)"](crowd), crowd.gold)
        done = [
            replays.replay(
                crowd.tasks, crowd.workers, crowd.answers, crowd.classes, crowd.gold, confidence, seed=1
            )
            for confidence in CONFIDENCES
        ]
        lines.append([whole, *((100 * one.accuracy, one.votes_per_task / each) for one in done)])
        cells = "".join(f"{100 * one.accuracy:8.1f}@{one.votes_per_task / each:.3f}" for one in done)
        print(f"{crowd.name:14}{whole:10.1f}{cells}")
    means = [np.mean([line[i] for line in lines], axis=0) for i in range(1, len(CONFIDENCES) + 1)]
    whole = np.mean([line[0] for line in lines])
    print(f"{'mean':14}{whole:10.1f}" + "".join(f"{right:8.1f}@{share:.3f}" for right, share in means))


def deciding(times: int = 5000) -> None:
    classes = ["yes", "similar", "no", "noise"]
    votes = [Vote(number, answer) for number, answer in enumerate(["yes", "yes", "no", "yes", "noise"])]
    began = time.process_time()
    for _ in range(times):
        labels.decide(votes, Rule(), classes)
    print(f"\nOne decision on 5 votes: {1000 * (time.process_time() - began) / times:.3f} ms")


def rate() -> None:
    print(f"\nThe rate: {TASKS * EACH:,} simulated votes by {WORKERS:,} workers, from arrays of integers")
    print(f"{'':32}{'processor s':>14}{'peak GB':>10}{'accuracy':>10}")
    for name, how in (("ours", "_time_ours"), ("Dawid-Skene (crowd-kit)", "_time_peer")):
        code = f"from bench import labels; labels.{how}()"
        child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=ROOT)
        output = child.stdout.read() if child.stdout else ""
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        took, right = output.split() if not child.returncode else ("failed", "")
        print(f"{name:32}{took:>14}{used.ru_maxrss / 1e6:10.2f}{right:>10}")


def simulated() -> tuple[Integers, Integers, Integers, Integers]:
    """Tasks, workers, answers, truth. Most workers are good; what they do not know they guess."""
    random = np.random.default_rng(1)
    truth = random.integers(0, CLASSES, TASKS, dtype=np.int8)
    tasks = np.repeat(np.arange(TASKS, dtype=np.int32), EACH)
    workers = random.integers(0, WORKERS, tasks.size, dtype=np.int32)
    knows = (
        random.random(tasks.size, dtype=np.float32) < random.beta(6, 2, WORKERS).astype(np.float32)[workers]
    )
    answers = np.where(knows, truth[tasks], random.integers(0, CLASSES, tasks.size, dtype=np.int8))
    return tasks, workers, answers, truth


def _time_ours() -> None:
    tasks, workers, answers, truth = simulated()
    began = time.process_time()
    found = labels.fit(tasks, workers, answers, CLASSES).posterior
    _print_result(time.process_time() - began, found.argmax(1) == truth)


def _time_peer() -> None:
    tasks, workers, answers, truth = simulated()
    votes = pd.DataFrame({"task": tasks, "worker": workers, "label": answers})
    began = time.process_time()
    found = DawidSkene().fit_predict(votes)
    _print_result(time.process_time() - began, found.reindex(range(TASKS)).to_numpy() == truth)


def _print_result(seconds: float, right: npt.NDArray[np.bool_]) -> None:
    print(f"{seconds:.1f} {100 * right.mean():.2f}")

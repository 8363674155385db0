"""Transcripts compared with crowd-kit's ROVER on CrowdSpeech: errors, calibration, votes saved, speed.

The model for each crowd is learned from the other crowd in the same run, never from itself.
"""

import pathlib
import random
import re
import statistics
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd
from crowdkit.aggregation import ROVER
from rapidfuzz.distance import Levenshtein

from bench import learn_transcripts
from bench.learn_transcripts import TranscribedCrowd
from tagger.consensus import reliability, transcripts
from tagger.consensus.judge import Model
from tagger.consensus.slots import Floats
from tagger.consensus.study import study_crowd
from tagger.consensus.verdict import Rule, Vote

CROWDS = ("dev-clean", "dev-other")
RELEASED = 0.03
Tasks = Sequence[Sequence[Vote]]


class Measured(NamedTuple):
    texts: Sequence[str]
    seconds: float


def main(data: pathlib.Path) -> None:
    """Print all figures for the crowds in the folder `transcripts`."""
    crowds = {name: learn_transcripts.read(data / "transcripts" / name) for name in CROWDS}
    models = {name: learn_transcripts.learn([crowd for other, crowd in crowds.items() if other != name])
              for name in CROWDS}  # fmt: skip
    for name, crowd in crowds.items():
        print(f"\n{name}: {len(crowd.tasks)} clips, model learned on the other")
        seven = _errors(crowd, models[name])
        _released(crowd, models[name])
        _stopping(crowd, models[name], seven)
    _speed(crowds["dev-clean"], models["dev-clean"])


def benchmark_words(text: str) -> list[str]:
    """The benchmark's normalisation: lower case, only letters, digits and apostrophes."""
    return re.sub(r"[^a-z0-9' ]", "", re.sub(r"\s+", " ", text.lower())).split()


def error_rates(texts: Sequence[str], truth: Sequence[str]) -> Floats:
    """The word error rate of each clip, in percent."""
    pairs = [(benchmark_words(text), benchmark_words(true)) for text, true in zip(texts, truth, strict=True)]
    return np.array([100 * Levenshtein.distance(text, true) / len(true) for text, true in pairs])


def rover(tasks: Tasks) -> Measured:
    """crowd-kit's ROVER on the benchmark's words, as its authors use it."""
    rows = [(number, vote.annotator, " ".join(benchmark_words(vote.answer))) for number, votes in
    enumerate(tasks)
            for vote in votes]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["task", "worker", "text"])
    started = time.process_time()
    found = ROVER(lambda text: text.split(" "), " ".join).fit_predict(frame)
    return Measured([found[number] for number in range(len(tasks))], time.process_time() - started)


def reliability_alone(tasks: Tasks) -> list[str]:
    """The texts by the noisy channel alone, without the model on top."""
    study = study_crowd(tasks)
    texts = [""] * len(tasks)
    at = iter(study.order)
    for evidence in study.chunks:
        believed = reliability.believe(evidence, study.skills).candidates
        for text, place in zip(evidence.slots.texts(evidence.slots.leaders(believed)), at, strict=False):
            texts[place] = " ".join(text)
    return texts


def _errors(crowd: TranscribedCrowd, model: Model) -> float:
    """Print mean word error rates; returns ROVER's on all votes."""
    print("  votes   ROVER   reliability alone   with the model    (mean WER, %)")
    first = 0.0
    for votes in (7, 5, 3):
        tasks = learn_transcripts.thinned(crowd.tasks, votes, seed=votes)
        ways = (rover(tasks).texts, reliability_alone(tasks), transcripts.fit(tasks, model=model).texts)
        peer, alone, ours = (error_rates(texts, crowd.truth).mean() for texts in ways)
        first = first or peer
        print(f"  {votes:5} {peer:7.2f} {alone:19.2f} {ours:16.2f}")
    return first


def _released(crowd: TranscribedCrowd, model: Model) -> None:
    """The true error rate of the clips released at an estimated 3 % of errors, and of all clips."""
    found = transcripts.fit(crowd.tasks, model=model)
    expected = 1 - np.array(found.confidences)
    true = error_rates(found.texts, crowd.truth)
    surest = np.argsort(expected, kind="stable")
    means = np.cumsum(expected[surest]) / np.arange(1, len(surest) + 1)
    released = surest[: np.searchsorted(means, RELEASED, side="right")]
    print(f"  released at an estimated WER of 3 %: {len(released) / len(true):.0%} of clips, "
          f"true WER {true[released].mean():.2f} %")  # fmt: skip
    print(f"  all: expected {100 * expected.mean():.2f} %, true {true.mean():.2f} %")


def _stopping(crowd: TranscribedCrowd, model: Model, goal: float) -> None:
    """Votes for each clip, stopping at the lowest confidence that reaches ROVER's error rate on all votes.

    The votes of a clip come in random order; after each round the whole crowd is refitted.
    """
    chance = random.Random(0)
    shuffled = [chance.sample(votes, len(votes)) for votes in crowd.tasks]
    rounds = range(2, 8)
    fits = [transcripts.fit([votes[:number] for votes in shuffled], model=model) for number in rounds]
    sure = np.array([found.confidences for found in fits])
    wrong = np.array([error_rates(found.texts, crowd.truth) for found in fits])

    def stopped(confidence: float) -> tuple[float, float]:
        enough = sure >= confidence
        enough[-1] = True
        at = enough.argmax(axis=0)
        return float(wrong[at, np.arange(len(at))].mean()), float(at.mean() + rounds[0])

    tried = [stopped(confidence) for confidence in np.linspace(0.5, 0.999, 500)]
    reached = [(votes, rate) for rate, votes in tried if rate <= goal]
    votes, rate = min(reached, default=(float("nan"), float("nan")))
    print(
        f"  stopping early: {votes:.2f} votes a clip for a WER of {rate:.2f} % "
        f"(ROVER with all 7: {goal:.2f} %)"
    )


def _speed(crowd: TranscribedCrowd, model: Model) -> None:
    tasks = learn_transcripts.thinned(crowd.tasks, 5, seed=5)
    started = time.process_time()
    found = transcripts.fit(tasks, model=model)
    own, peer = len(tasks) / (time.process_time() - started), len(tasks) / rover(tasks).seconds
    print(
        f"\nrate with 5 votes: {own:.0f} clips a second of processor, "
        f"ROVER {peer:.0f}: {own / peer:.1f} times"
    )
    rule = Rule(confidence=0.97)
    spent = [_seconds(partial(transcripts.decide, votes, rule, found.crowd)) for votes in tasks[:500]]
    print(f"settling one task of 5 votes between refits: {1000 * statistics.median(spent):.2f} ms")


def _seconds(act: Callable[[], object]) -> float:
    started = time.process_time()
    act()
    return time.process_time() - started

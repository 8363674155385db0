"""Agreement of real crowds, and the processor time to compute it."""

import time
from pathlib import Path

import numpy as np

from datasets.normalise import words
from tagger.consensus.agreement import Figure, of_labels, of_transcripts
from tagger.consensus.tables.columns import Field
from tagger.consensus.tables.votes import Votes, read_votes

LINE = "{:14} {:>8} {:>26} {:>26} {:>9}"


def main(data: Path) -> None:
    print(LINE.format("set", "tasks", "alpha", "agreeing", "cpu ms"))
    for folder in sorted((data / "labels").iterdir()):
        _print_labels(folder.name, _table(read_votes(folder / "votes.csv", Field("label"))))
    _print_labels("simulated", np.random.default_rng(1).multinomial(5, [0.6, 0.2, 0.1, 0.1], 1_000_000))
    for folder in sorted((data / "transcripts").iterdir()):
        if folder.is_dir():
            _print_transcripts(
                folder.name, read_votes(folder / "votes.csv", Field("text", may_be_empty=True))
            )


def _print_labels(name: str, table: np.ndarray) -> None:
    start = time.process_time()
    found = of_labels(table)
    cost = f"{1000 * (time.process_time() - start):.1f}"
    print(LINE.format(name, found.tasks, _formatted(found.alpha), _formatted(found.agreeing), cost))


def _print_transcripts(name: str, votes: Votes) -> None:
    texts = votes.answer_names.sorted().to_pylist()
    tasks: list[list[list[str]]] = [[] for _ in votes.task_names.values]
    for task, answer in zip(votes.tasks.tolist(), votes.answers.tolist(), strict=True):
        tasks[task].append(words(texts[answer], "en"))
    start = time.process_time()
    found = of_transcripts(tasks)
    cost = f"{1000 * (time.process_time() - start):.1f}"
    print(LINE.format(name, found.tasks, "(words)", _formatted(found.agreeing), cost))


def _table(votes: Votes) -> np.ndarray:
    """Counts (tasks, classes)."""
    table = np.zeros((len(votes.task_names.values), len(votes.answer_names.values)), np.int64)
    np.add.at(table, (votes.tasks, votes.answers), 1)
    return table


def _formatted(figure: Figure) -> str:
    return (
        f"{figure.value:.3f} [{figure.low:.3f}, {figure.high:.3f}]"
        if figure.value is not None
        else "undefined"
    )

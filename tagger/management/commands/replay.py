import json
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from django.core.management.base import BaseCommand, CommandError

from tagger.consensus import replays
from tagger.consensus.tables.blocks import BadTable
from tagger.consensus.tables.columns import Field, read
from tagger.consensus.tables.progress import bar
from tagger.consensus.tables.votes import Votes, read_votes
from tagger.consensus.verdict import Rule

# More votes than any task has.
UNLIMITED = 1_000_000_000


class Command(BaseCommand):
    help = (
        "Show what stopping early would have cost and saved: pass a crowd's votes (CSV with task, worker, "
        "label) one at a time to the stopping rule, and compare with the truth (CSV with task, label). "
        "Prints JSON."
    )
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("votes", type=Path, metavar="VOTES.csv")
        parser.add_argument("gold", type=Path, metavar="GOLD.csv")
        parser.add_argument("--kind", required=True, help="must be label: transcripts cannot be replayed")
        parser.add_argument(
            "--confidence",
            required=True,
            type=float,
            metavar="P",
            help="confidence to reach, above 0 and at most 1",
        )
        parser.add_argument(
            "--seed",
            required=True,
            type=int,
            metavar="N",
            help="seed of the random order of votes, 0 or more",
        )
        parser.add_argument(
            "--min", type=int, default=1, metavar="N", help="least votes per task (default: 1)"
        )
        parser.add_argument("--max", type=int, metavar="N", help="most votes per task (default: all)")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["kind"] != "label":
            raise CommandError(f"--kind {options['kind']} cannot be replayed: use --kind label.")
        if options["seed"] < 0:
            raise CommandError(f"--seed is {options['seed']}; it must be 0 or more.")
        try:
            most = max(options["min"], UNLIMITED) if options["max"] is None else options["max"]
            rule = Rule(options["min"], most, options["confidence"])
            with bar(options["votes"]) as advance:
                votes = read_votes(options["votes"], Field("label"), advance)
            found = _replay(votes, _truth(options["gold"]), rule, options["seed"])
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror}") from error
        except ValueError as error:  # includes BadTable
            raise CommandError(str(error)) from error
        self.stdout.write(json.dumps(asdict(found)))


def _truth(path: Path) -> dict[str, str]:
    """The true label of each task. Raises BadTable for a task with two of them."""
    tasks, answers = read(path, [Field("task"), Field("label")])
    names, classes = tasks.names.values.to_pylist(), answers.names.values.to_pylist()
    found: dict[str, str] = {}
    for task, label in zip(tasks.indices.tolist(), answers.indices.tolist(), strict=True):
        name, right = names[task], classes[label]
        if found.setdefault(name, right) != right:
            raise BadTable(f"{path}: the task {name} is {found[name]} on one line and {right} on another")
    return found


def _replay(votes: Votes, truth: dict[str, str], rule: Rule, seed: int) -> replays.Replayed:
    """The replay of the tasks that have votes and truth. Raises BadTable if no task has both."""
    names = votes.task_names.sorted().to_pylist()
    voted = votes.answer_names.sorted().to_pylist()
    classes = {label: number for number, label in enumerate(sorted({*voted, *truth.values()}))}
    gold = np.array([classes[truth[name]] if name in truth else -1 for name in names])
    judged = gold >= 0
    if not judged.any():
        raise BadTable(f"none of the {len(truth)} tasks with truth has a vote")
    kept = judged[votes.tasks]
    numbers = np.cumsum(judged) - 1
    answers = np.array([classes[label] for label in voted])[votes.answers]
    return replays.replay(
        numbers[votes.tasks[kept]],
        votes.workers[kept],
        answers[kept],
        len(classes),
        gold[judged],
        rule.confidence,
        seed,
        rule.least,
        rule.most,
    )

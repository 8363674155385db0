from argparse import ArgumentParser
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from datasets import languages
from tagger.consensus import aggregation
from tagger.consensus.aggregation import Aggregated, TooManyLabels
from tagger.consensus.tables.blocks import BadTable
from tagger.consensus.tables.columns import Field, Lookalikes
from tagger.consensus.tables.output import Unwritable, atomic_file
from tagger.consensus.tables.progress import bar
from tagger.consensus.tables.votes import Votes, read_votes

# The column of the answers. An empty transcript: no one spoke.
KINDS = {"label": Field("label"), "transcript": Field("text", may_be_empty=True)}


class Command(BaseCommand):
    help = (
        "Run the consensus engine on a CSV file with the columns task, worker and label (or text). Writes a "
        "CSV file with task, label (or text), confidence and n, the number of people who answered. Needs no "
        "running site."
    )
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("votes", type=Path, metavar="VOTES.csv")
        parser.add_argument("--kind", required=True, choices=KINDS)
        parser.add_argument("--output", required=True, type=Path, metavar="OUT.csv")
        parser.add_argument(
            "--reliability", type=Path, metavar="R.csv", help="also write how often each worker is right"
        )
        parser.add_argument(
            "--language",
            metavar="CODE",
            help="the language of transcripts, such as es or pt-BR; guessed from their words if not given",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        field, aggregate = KINDS[options["kind"]], _aggregate(options["kind"], options["language"])
        source, output, reliability = options["votes"], options["output"], options["reliability"]
        try:
            with ExitStack() as outputs:
                answers = outputs.enter_context(atomic_file(output, never=[source]))
                skills = reliability and outputs.enter_context(
                    atomic_file(reliability, never=[source, output])
                )
                with bar(source) as advance:
                    votes = read_votes(source, field, advance)
                found = aggregate(votes)
                aggregation.write_answers(answers, field.name, votes, found)
                if skills:
                    aggregation.write_reliabilities(skills, votes, found)
        except (BadTable, Unwritable) as error:
            raise CommandError(f"Nothing was written: {error}") from error
        except TooManyLabels as error:
            raise CommandError(f"Nothing was written: {source}: {error}: are they transcripts?") from error
        except OSError as error:
            place = error.filename or output
            raise CommandError(f"Nothing was written: {place}: {error.strerror}") from error
        self.stdout.write(_summary(votes, output))
        if field.may_be_empty and options["language"] is None:
            self.stdout.write(_guessed(found.language))
        suspects = {"workers": votes.worker_names}
        if not field.may_be_empty:  # people do write the same text in several ways
            suspects[f"{field.name}s"] = votes.answer_names
        for what, names in suspects.items():
            if warning := _warning(what, names.lookalikes()):
                self.stdout.write(warning)


def _aggregate(kind: str, language: str | None) -> Callable[[Votes], Aggregated]:
    """The function that aggregates answers of this kind. Raises CommandError."""
    if language is not None and not languages.is_code(language):
        raise CommandError(f"Nothing was written: --language {language}: not a code such as es or pt-BR")
    if kind == "transcript":
        return partial(aggregation.aggregate_transcripts, language=language)
    if language is not None:
        raise CommandError("Nothing was written: --language is for transcripts: labels have no language")
    return aggregation.aggregate_labels


def _guessed(language: str) -> str:
    if language:
        return f"The texts seem to be in the language {language}; say it with --language if that is wrong."
    return "The language of the texts is not clear; say it with --language for better results."


def _warning(what: str, found: Lookalikes) -> str:
    if not found.count:
        return ""
    one, other = map(repr, found.example)
    return (
        f"Warning: {found.count} {what} differ from others only by case or blanks, such as {one} and {other}."
        " They were counted as different."
    )


def _summary(votes: Votes, output: Path) -> str:
    counted, workers = len(votes.tasks), len(votes.worker_names.values)
    summary = f"{output}: {len(votes.task_names.values)} tasks from {counted} votes by {workers} workers."
    if repeated := votes.rows - counted:
        summary += f" {repeated} rows repeat another row."
    if votes.second_answers:
        summary += f" {votes.second_answers} votes are a second answer of the same worker to the same task."
    return summary

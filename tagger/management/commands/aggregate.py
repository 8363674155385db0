from argparse import ArgumentParser
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tagger.consensus import aggregation
from tagger.consensus.aggregation import Agreed
from tagger.consensus.tables import drafts
from tagger.consensus.tables.blocks import BadTable
from tagger.consensus.tables.columns import Field
from tagger.consensus.tables.progress import bar
from tagger.consensus.tables.votes import Votes, read_votes

# The column of the answers, and what makes a consensus of them. That nothing was said is a transcript.
KINDS: dict[str, tuple[Field, Callable[[Votes], Agreed]]] = {
    "label": (Field("label"), aggregation.agree_on_labels),
    "transcript": (Field("text", may_be_empty=True), aggregation.agree_on_transcripts),
}


class Command(BaseCommand):
    help = (
        "What a crowd's votes come to: from a CSV file with the columns task, worker and label (or text) to "
        "one with task, label (or text), confidence and n, the number of people who answered. Needs no site."
    )
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("votes", type=Path, metavar="VOTES.csv")
        parser.add_argument("--kind", required=True, choices=KINDS)
        parser.add_argument("--output", required=True, type=Path, metavar="OUT.csv")
        parser.add_argument(
            "--reliability", type=Path, metavar="R.csv", help="how often each worker is right, also as CSV"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        field, agree = KINDS[options["kind"]]
        source, output, reliability = options["votes"], options["output"], options["reliability"]
        try:
            with ExitStack() as outputs:
                answers = outputs.enter_context(drafts.draft(output, never=[source]))
                skills = reliability and outputs.enter_context(
                    drafts.draft(reliability, never=[source, output])
                )
                with bar(source) as tell:
                    votes = read_votes(source, field, tell)
                agreed = agree(votes)
                aggregation.write_answers(answers, field.name, votes, agreed)
                if skills:
                    aggregation.write_reliabilities(skills, votes, agreed)
        except (BadTable, drafts.Unwritable) as error:
            raise CommandError(f"Nothing was written: {error}") from error
        except aggregation.TooManyLabels as error:
            raise CommandError(f"Nothing was written: {source}: {error}: are they transcripts?") from error
        except OSError as error:
            place = error.filename or output
            raise CommandError(f"Nothing was written: {place}: {error.strerror}") from error
        self.stdout.write(_summary(votes, output))


def _summary(votes: Votes, output: Path) -> str:
    counted, workers = len(votes.tasks), len(votes.worker_names.values)
    told = f"{output}: {len(votes.task_names.values)} tasks from {counted} votes by {workers} workers."
    if repeated := votes.rows - counted:
        told += f" {repeated} rows say again what another says."
    if votes.second_answers:
        told += f" {votes.second_answers} votes are another answer of the same worker to the same task."
    return told

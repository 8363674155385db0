from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from accounts.keys import KeyLost
from datasets.models import Task
from tagger.settling import certificates, version

BATCH_SIZE = 1_000
MOST_LISTED = 20


class Command(BaseCommand):
    help = (
        "Recompute every label from its annotations and its certificate. Exits 1 unless all results are "
        "equal to the stored ones, byte for byte. Of labels that an earlier version of the engine made, only "
        "the votes are compared."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--campaign", nargs="*", action="extend", metavar="SLUG")

    def handle(self, *args: Any, **options: Any) -> None:
        tasks = Task.objects.exclude(confidence=None).filter(dirty_since=None, clip__withdrawal=None)
        if options["campaign"]:
            tasks = tasks.filter(campaign__slug__in=options["campaign"])
        read = tasks.select_related("campaign", "clip__contributor__data_key").order_by("pk")
        number, earlier, troubles = 0, 0, []
        for task in tqdm(
            read.iterator(chunk_size=BATCH_SIZE), total=tasks.count(), unit="label", disable=None
        ):
            if trouble := _trouble_with(task):
                troubles.append(f"task {task.pk}: {trouble}")
            elif version.is_earlier(task.certificate):
                earlier += 1
            number += 1
        if troubles:
            listed = "\n".join(troubles[:MOST_LISTED])
            raise CommandError(f"{len(troubles)} of {number} labels differ from the stored ones.\n{listed}")
        self.stdout.write(f"{number - earlier} labels recomputed, all byte for byte as stored.")
        if earlier:
            self.stdout.write(
                f"{earlier} were made by an earlier version of the engine, from the same votes; "
                "the worker makes them again in its time."
            )


def _trouble_with(task: Task) -> str:
    try:
        return certificates.mismatch(task)
    except KeyLost:
        return "the key of its speaker is gone"

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from bench.load.fill import fill


class Command(BaseCommand):
    help = "Fill the load test's database, and write its people to a file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("people", type=Path)
        parser.add_argument("--tasks", type=int, required=True)
        parser.add_argument("--users", type=int, required=True)

    def handle(self, *args: Any, **options: Any) -> None:
        people = fill(options["tasks"], options["users"], timezone.now())
        options["people"].write_text(json.dumps(people))

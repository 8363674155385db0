from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.journal import JournalTorn
from accounts.site import WrongSite
from tagger.demo import load
from tagger.privacy import backup, restore


class Command(BaseCommand):
    help = (
        "Restores a backup into an empty database, with today's key folder: people who left since then are "
        "erased again before the site can start. Killed at any point, it is run again."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("source", type=Path, nargs="?", metavar="FROM", help="what `backup` wrote")
        parser.add_argument(
            "--in-place",
            action="store_true",
            help="instead of FROM: database and vault were restored by other means; only erase who left",
        )
        parser.add_argument("--dump", help="the name of a dump in it; by default the newest")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["in_place"] == bool(options["source"]):
            raise CommandError("Give the folder of a backup, or --in-place.")
        try:
            if options["in_place"]:
                done = restore.run_in_place(timezone.now(), self.stdout.write)
            else:
                done = restore.run(options["source"], timezone.now(), options["dump"], self.stdout.write)
        except (restore.RestoreRefused, backup.BackupFailed, WrongSite, JournalTorn) as error:
            raise CommandError(str(error)) from None
        load.mark()  # an older backup's names could not be looked up before its keys were put back
        for what, count in asdict(done).items():
            self.stdout.write(f"{count} {what.replace('_', ' ')}")

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts import audit
from accounts.site import WrongSite
from tagger.privacy import backup


class Command(BaseCommand):
    help = (
        "Writes the database and every clip's file that is not there yet to a folder, and checks them. "
        "The keys are not in it: they must be copied to another place."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("to", type=Path, metavar="TO", help="the folder of the backups, made if needed")
        parser.add_argument("--keys-to", type=Path, help="another folder, not inside TO, for the keys")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            backup.make(options["to"], timezone.now(), options["keys_to"], self.stdout.write)
            details = {"with_keys": bool(options["keys_to"])}
            audit.record(audit.Act.BACKED_UP, "database and clips", None, timezone.now(), details)
        except (backup.BackupFailed, WrongSite) as error:
            raise CommandError(str(error)) from None
        if not options["keys_to"] and not settings.KEYS_COPIED_BY:
            self.stdout.write(
                f"The keys are not in it. Copy {settings.MASTER_KEYS} to another disk, with --keys-to or by"
                " KEYS_COPIED_BY: without them, no one can read this backup."
            )

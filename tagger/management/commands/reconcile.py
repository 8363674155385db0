from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from tagger.privacy import reconciler


class Command(BaseCommand):
    help = (
        "Checks that every stored file has its row, its key and its live consent, and the other way round. "
        "Exits with 1 on any orphan; --verbosity 2 lists each by its number or file name."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--remove",
            action="store_true",
            help="delete files that no clip names and drafts of interrupted writes, if older than an hour",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        on_orphan = self._print if options["verbosity"] > 1 else lambda orphan: None
        found = reconciler.reconcile(timezone.now(), remove=options["remove"], on_orphan=on_orphan)
        self.stdout.write(", ".join(f"{what} {count}" for what, count in found.held.items()))
        for kind, count in found.orphans.items():
            self.stdout.write(f"{count} {reconciler.KINDS[kind]}")
        if orphans := sum(found.orphans.values()):
            raise CommandError(f"{orphans} orphans: see above.", returncode=1)
        self.stdout.write("Everything is in order.")

    def _print(self, orphan: reconciler.Orphan) -> None:
        self.stdout.write(": ".join(orphan))

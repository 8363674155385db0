from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from tagger.privacy import reconcile


class Command(BaseCommand):
    help = (
        "Whether every stored object has its row, its key and its live consent, and the other way round. "
        "Exits with 1 on any orphan; --verbosity 2 names each by its number."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--remove",
            action="store_true",
            help="delete files that no clip names and drafts of broken writes, if older than an hour",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        tell = self._tell if options["verbosity"] > 1 else lambda orphan: None
        found = reconcile.look(timezone.now(), remove=options["remove"], tell=tell)
        self.stdout.write(", ".join(f"{what} {count}" for what, count in found.held.items()))
        for kind, count in found.orphans.items():
            self.stdout.write(f"{count} {reconcile.KINDS[kind]}")
        if orphans := sum(found.orphans.values()):
            raise CommandError(f"{orphans} orphans: see above.", returncode=1)
        self.stdout.write("Everything is in order.")

    def _tell(self, orphan: reconcile.Orphan) -> None:
        self.stdout.write(": ".join(orphan))

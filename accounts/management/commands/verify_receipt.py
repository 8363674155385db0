from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts import audit, receipts, signing


class Command(BaseCommand):
    help = "Says whether a receipt was issued by this site and is unchanged since. Exits 1 if not."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        file: Path = options["file"]
        try:
            with file.open("rb") as opened:
                document = receipts.read(opened.read(receipts.MOST_BYTES + 1))
            receipts.check(document)
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}.") from error
        except (receipts.Unreadable, signing.BadSignature, audit.Broken) as reason:
            raise CommandError(f"{file} does not verify. {reason}") from reason
        self.stdout.write(
            f"{file} was signed by this site with the key {signing.key_id()}, and is unchanged."
        )

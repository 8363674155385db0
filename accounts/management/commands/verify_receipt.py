from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts import audit, receipts, signing
from accounts.refusals import in_words
from accounts.wording import WORDS


class Command(BaseCommand):
    help = "Checks that this site issued a receipt and that it is unchanged. Exits 1 if not."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        file: Path = options["file"]
        try:
            with file.open("rb") as opened:
                document = receipts.read(opened.read(receipts.MAX_BYTES + 1))
            receipts.check(document)
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}.") from error
        except (receipts.Unreadable, signing.BadSignature, audit.ChainBroken) as refusal:
            raise CommandError(f"{file} does not verify. {in_words(refusal, WORDS)}") from refusal
        self.stdout.write(
            f"{file} was signed by this site with the key {signing.key_id()}, and is unchanged."
        )

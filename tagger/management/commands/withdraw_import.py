from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse
from django.utils import timezone

from tagger.privacy import imported_people


class Command(BaseCommand):
    help = (
        "Withdraws people whose clips were imported: consents end immediately, clips are erased within "
        "minutes, and no later import can bring them back. Prints the address of each erasure receipt."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--contributor", required=True, metavar="NAME", help="the collection, as named at the import"
        )
        who = parser.add_mutually_exclusive_group(required=True)
        who.add_argument("--speaker", metavar="TEXT", help="one speaker, as named in the manifest")
        who.add_argument("--everybody", action="store_true", help="the whole collection")

    def handle(self, *args: Any, **options: Any) -> None:
        collection, speaker = options["contributor"], options["speaker"]
        done = imported_people.withdraw(collection, speaker, None, timezone.now())
        if not done:
            whom = "speakers" if speaker is None else f"speaker {speaker}"
            raise CommandError(f"The collection {collection} has no {whom}.")
        gone = [each for each in done if each.token]
        for each in gone:
            receipt = f"{settings.SITE_URL}{reverse('erasure_receipt', args=[each.token])}"
            self.stdout.write(f"{each.speaker or 'clips without a speaker'}: {receipt}")
        self.stdout.write(f"{len(gone)} withdrawn, {len(done) - len(gone)} had already withdrawn.")

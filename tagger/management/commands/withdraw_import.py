from argparse import ArgumentParser
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse
from django.utils import timezone

from accounts import audit, contributors
from accounts.models import Consent, User
from tagger.privacy import erasure


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
        people = list(_people(options["contributor"], options["speaker"]))
        if not people:
            whom = "speakers" if options["speaker"] is None else f"speaker {options['speaker']}"
            raise CommandError(f"The collection {options['contributor']} has no {whom}.")
        gone = sum(self._withdraw(speaker, person) for speaker, person in people)
        if gone:
            audit.record(audit.Act.WITHDREW_IMPORT, "imported people", None, timezone.now(), {"number": gone})
        self.stdout.write(f"{gone} withdrawn, {len(people) - gone} had already withdrawn.")

    def _withdraw(self, speaker: str, person: User) -> bool:
        if not Consent.objects.live().filter(contributor=person).exists():
            return False
        token = erasure.erase_contributor(person, timezone.now())
        receipt = f"{settings.SITE_URL}{reverse('erasure_receipt', args=[token])}"
        self.stdout.write(f"{speaker or 'clips without a speaker'}: {receipt}")
        return True


def _people(collection: str, speaker: str | None) -> Iterable[tuple[str, User]]:
    if speaker is None:
        return contributors.in_collection(collection)
    return [(speaker, person) for person in contributors.find_all(collection, speaker)]

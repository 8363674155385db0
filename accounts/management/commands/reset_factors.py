from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts import names
from accounts.factors import authenticators
from accounts.models import User


class Command(BaseCommand):
    help = (
        "Removes the second factors and recovery codes of someone who lost them, and ends their sessions. Be "
        "sure who asks: then their password is enough to set up new ones. The audit record has an event."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", metavar="NAME", help="their pseudonym")

    def handle(self, *args: Any, **options: Any) -> None:
        person = User.objects.found_by(names.looked_up(options["name"])).first()
        if person is None:
            raise CommandError("No one here has this pseudonym.")
        try:
            number = authenticators.reset(person, timezone.now())
        except authenticators.FactorRefused:
            raise CommandError("They have no second factor.") from None
        self.stdout.write(
            f"Removed second factors: {number}, and recovery codes. They set up new ones at the next log-in."
        )

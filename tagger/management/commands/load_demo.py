import sys
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from tqdm import tqdm

from tagger.demo import load, scripts
from tagger.demo.voices import NoVoices


class Command(BaseCommand):
    help = "Fill an empty database with demo data, and print how to log in. Does nothing if DEBUG is off."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--new-passwords",
            action="store_true",
            help="give the demo accounts new passwords, if they are lost",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEBUG:
            self.stdout.write(
                "DEBUG is off, so there is no demo data. Create your account with manage.py createsuperuser."
            )
            return
        if options["new_passwords"] and not load.renew_passwords():
            raise CommandError("There are no demo accounts.")
        if load.is_wanted():
            self.stdout.write("Making demo clips with synthesised voices …")
            try:
                load.load(timezone.now(), _with_bar)
            except NoVoices as error:
                raise CommandError(str(error)) from error
        if load.DemoAccounts.are_lost():
            self.stdout.write(
                f"{load.DemoAccounts.path()} is empty or damaged, so the demo accounts' passwords are lost:"
                " .venv/bin/python manage.py load_demo --new-passwords makes new ones."
            )
        if accounts := load.DemoAccounts.read():
            self.stdout.write(f"Demo accounts, with their passwords (also in {accounts.path()}):")
            for name, password in accounts.passwords.items():
                self.stdout.write(f"  {name:<12} {password}")


def _with_bar(lines: list[scripts.Line]) -> Iterator[scripts.Line]:
    return iter(tqdm(lines, unit="clip", file=sys.stderr, disable=None))

import sys
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from tqdm import tqdm

from tagger.demo import load, scripts
from tagger.demo.voices import NoVoices


class Command(BaseCommand):
    help = "Fills an empty database with demo data, and says how to log in. Does nothing when DEBUG is off."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEBUG:
            self.stdout.write("DEBUG is off: no demo data. Make your account with manage.py createsuperuser.")
            return
        if load.is_wanted():
            self.stdout.write("Making demo clips of synthesised speech …")
            try:
                load.load(timezone.now(), _with_bar)
            except NoVoices as error:
                raise CommandError(str(error)) from error
        if record := load.Record.read():
            self.stdout.write("Demo accounts (also in " + str(load.Record.path()) + "):")
            for name, password in record.passwords.items():
                self.stdout.write(f"  {name:<12} {password}")


def _with_bar(lines: list[scripts.Line]) -> Iterator[scripts.Line]:
    return iter(tqdm(lines, unit="clip", file=sys.stderr, disable=None))

import secrets
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from tagger.demo import invented
from tagger.demo.voices import NoVoices
from tagger.review import known_positives


class Command(BaseCommand):
    help = (
        "Makes sounds in which made voices say invented names and numbers. They are mixed into the checks "
        "before publication, to measure what is missed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("number", type=int)
        parser.add_argument("--language", default="en", choices=sorted(invented.SAID))

    def handle(self, *args: Any, **options: Any) -> None:
        sounds = invented.sounds(options["language"], options["number"], secrets.randbits(32))
        try:
            made = known_positives.add(sounds, options["language"], timezone.now())
        except NoVoices as missing:
            raise CommandError(str(missing)) from missing
        self.stdout.write(f"{made} known positives were made.")

from typing import Any

from django.core.management.base import BaseCommand

from tagger.privacy import key_copy


class Command(BaseCommand):
    help = "Puts today's keys into a database that was restored from a backup."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{key_copy.restore()} keys were restored.")

from typing import Any

from django.core.management.base import BaseCommand

from tagger.privacy import key_copy


class Command(BaseCommand):
    help = "After the database was restored from a backup: put in the keys as they are today."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{key_copy.restore()} keys were put in.")

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts import audit


class Command(BaseCommand):
    help = (
        "Reads the record of who heard, decided and exported what from its start. Exits 1 if it was changed."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        if number := audit.broken_at():
            raise CommandError(f"The record was changed: event {number} does not follow from those before.")
        head = audit.head()
        if head is None:
            self.stdout.write("The record is empty.")
        else:
            self.stdout.write(f"{head.number} events, each following from those before. Head: {head.sha256}")

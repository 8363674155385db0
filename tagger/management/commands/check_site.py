from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.site import WrongSite
from datasets.clips import vault


class Command(BaseCommand):
    help = "Checks that the database, the keys and the vault are those of one site; makes them for a new one."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            vault.establish()
        except WrongSite as error:
            raise CommandError(str(error)) from None

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.site import WrongSite
from datasets.clips import vault
from tagger.privacy import withdrawal


class Command(BaseCommand):
    help = (
        "Checks that the database, the keys and the vault are those of one site, and that the database knows "
        "everyone who left; makes keys for a new site."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            vault.establish()
        except WrongSite as error:
            raise CommandError(str(error)) from None
        if number := withdrawal.unknown_to_database():
            raise CommandError(
                f"the database is older than {number} erasures in the journal beside the keys, so people who"
                " left are back in it: run `manage.py restore --in-place`, which carries them out again"
            )

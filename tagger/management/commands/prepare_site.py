import shutil
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser


class Command(BaseCommand):
    """One process instead of four, as most of what each of them takes is the import of Django."""

    help = (
        "What `make run` does before the site starts: migrate and check_site, collectstatic if DEBUG is off, "
        "and load_demo with --demo."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--log", required=True, help="a file for what migrate and collectstatic say")
        parser.add_argument("--demo", action="store_true", help="load the demo data as well")

    def handle(self, *args: Any, **options: Any) -> None:
        with open(options["log"], "a", encoding="utf-8") as log:
            call_command("migrate", interactive=False, no_color=True, stdout=log)
            call_command("check_site")
            if not settings.DEBUG:
                # Anew: it keeps files that are newer than their sources, even if a power cut left them empty,
                # and reads its own list of files before it would clear them.
                shutil.rmtree(settings.STATIC_ROOT, ignore_errors=True)
                call_command("collectstatic", interactive=False, no_color=True, stdout=log)
        if options["demo"]:
            call_command("load_demo")

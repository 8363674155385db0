import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from accounts.models import User
from bench.load.explain import lending
from bench.load.fill import SLUG, answer_many
from datasets.models import Campaign


class Command(BaseCommand):
    help = "The cost of lending in the database, to a newcomer and to a person who answered many tasks."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("people", type=Path)
        parser.add_argument("output", type=Path)
        parser.add_argument("--answered", type=int, required=True)

    def handle(self, *args: Any, **options: Any) -> None:
        people = json.loads(options["people"].read_text())
        campaign = Campaign.objects.get(slug=SLUG)
        newcomer, veteran = (User.objects.get(pk=people[who][0]["pk"]) for who in ("newcomer", "veteran"))
        found: dict[str, Any] = {"newcomer": lending(newcomer, campaign, timezone.now())}
        found["answered"] = answer_many(veteran.pk, options["answered"], timezone.now())
        found["newcomer after"] = lending(newcomer, campaign, timezone.now())
        found["veteran"] = lending(veteran, campaign, timezone.now())
        options["output"].write_text(json.dumps(found))

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.models import Purpose
from accounts.refusals import in_words
from datasets.models import Campaign
from datasets.releases import frozen
from datasets.releases.wording import WORDS
from tagger.review import clearing_figures


class Command(BaseCommand):
    help = "Freezes the settled tasks of one or more campaigns into a release, and publishes it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("--campaign", required=True, nargs="+", action="extend", metavar="SLUG")
        parser.add_argument("--min-confidence", type=float, default=0.0)
        parser.add_argument("--min-contributors", type=int, default=1)
        parser.add_argument(
            "--public",
            action="store_true",
            help="only clips that may be published and are cleared; without it, clips for researchers",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            campaigns = _campaigns(options["campaign"])
            made = frozen.freeze(
                options["slug"],
                campaigns,
                timezone.now(),
                clearing=clearing_figures.of(campaigns),
                min_confidence=options["min_confidence"],
                min_contributors=options["min_contributors"],
                audience=Purpose.PUBLIC if options["public"] else Purpose.RESEARCHERS,
            )
        except frozen.BadRelease as refusal:
            raise CommandError(in_words(refusal, WORDS)) from refusal
        self.stdout.write(
            f"Release {made.release.slug}: {made.rows} clips of {made.contributors} contributors.\n"
            f"Left out: {made.unsettled} not settled, {made.unsure} below the confidence, "
            f"{made.without_consent} without consent to be released or reported, "
            f"{made.not_cleared} not cleared by privacy reviewers."
        )


def _campaigns(slugs: list[str]) -> list[Campaign]:
    found = {campaign.slug: campaign for campaign in Campaign.objects.filter(slug__in=slugs)}
    for slug in slugs:
        if slug not in found:
            raise CommandError(f"There is no campaign {slug}.")
    return list(found.values())

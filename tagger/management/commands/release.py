from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from tqdm import tqdm

from accounts.models import Purpose
from accounts.refusals import Refusal, in_words
from datasets import licences
from datasets.models import Campaign, Release
from datasets.releases import figures, freezing
from datasets.releases.wording import WORDS
from tagger.learning import owed, recomputing
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
        parser.add_argument("--after", metavar="SLUG", help="the release of which this is the next version")
        parser.add_argument(
            "--version-number", metavar="N.N.N", help="instead of the next one, such as 1.1.0 after 1.0.0"
        )
        parser.add_argument("--notes", default="", help="what researchers should know of this version")
        parser.add_argument(
            "--licence", metavar="SPDX", help="of the whole; without it, what the clips' licences allow"
        )
        parser.add_argument(
            "--test-only",
            nargs="+",
            action="extend",
            default=[],
            metavar="SLUG",
            help="campaigns whose contributors are only tested with",
        )
        parser.add_argument(
            "--disguised",
            action="store_true",
            help="voices are disguised, each clip in its own way; they may still be recognised",
        )
        parser.add_argument(
            "--votes",
            action="store_true",
            help="archives list the answers of volunteers who agreed to that one by one, in votes.parquet",
        )
        parser.add_argument(
            "--sentences-apart",
            action="store_true",
            help="no transcript is in two splits; clips that repeat one from another split are left out",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        campaigns = _campaigns(options["campaign"])
        test_only = _campaigns(options["test_only"])
        if others := {each.slug for each in test_only} - {each.slug for each in campaigns}:
            raise CommandError(f"--test-only {', '.join(sorted(others))}: not among the campaigns released.")
        recounted = _bring_up_to_date(campaigns)
        try:
            made = freezing.freeze(
                options["slug"],
                campaigns,
                timezone.now(),
                clearing=clearing_figures.of(campaigns),
                min_confidence=options["min_confidence"],
                min_contributors=options["min_contributors"],
                audience=Purpose.PUBLIC if options["public"] else Purpose.RESEARCHERS,
                after=_release(options["after"]),
                version=options["version_number"],
                notes=options["notes"],
                licence=_licence(options["licence"]),
                test_only=test_only,
                sentences_apart=options["sentences_apart"],
                disguised=options["disguised"],
                single_votes=options["votes"],
            )
        except Refusal as refusal:
            raise CommandError(in_words(refusal, WORDS)) from refusal
        if recounted:
            self.stdout.write(f"{recounted} clips were settled again first, by what was learned since.")
        self._report(made)

    def _report(self, made: freezing.FreezeResult) -> None:
        release = made.release
        self.stdout.write(
            f"Release {release.slug}: {made.rows} clips of {made.contributors} contributors.\n"
            f"Version {release.version}, licence {release.licence or 'as each clip says'}.\n"
            f"Left out: {made.unsettled} not settled, {made.unsure} below the confidence, "
            f"{made.without_consent} without consent to be released or reported, "
            f"{made.not_cleared} not cleared by privacy reviewers."
        )
        if made.not_reserved or made.shared_sentences:
            self.stdout.write(
                f"Left out as well: {made.not_reserved} of campaigns for tests by contributors who train, "
                f"{made.shared_sentences} whose transcript is in another split."
            )
        for split, share, target in figures.missed_targets(release.figures):
            self.stdout.write(
                f"{split} has {share:.0%} of the seconds, not {target:.0%}: contributors are never divided."
            )
        if made.coarsened:
            self.stdout.write(
                f"Left unsaid, as it would tell few contributors apart: {', '.join(made.coarsened)}."
            )
        if release.has_single_votes:
            given = release.figures["votes"]
            self.stdout.write(f"Single votes: {made.single_votes} of {given}; others did not agree to that.")
        if changes := release.changes:
            changed = sum(changes["changed"].values())
            self.stdout.write(
                f"Since {changes['previous']}: {changes['added']} clips came, {changed} have another answer, "
                f"{changes['recalled']} were recalled, {changes['left_out']} are left out."
            )


def _bring_up_to_date(campaigns: list[Campaign]) -> int:
    """Settle what is owed to these campaigns, so that the release goes by today's figures; how many clips."""
    number = owed.of(campaigns).count()
    with tqdm(total=number, unit="clip", disable=None if number else True) as bar:
        settled = 0
        for done in recomputing.settle_owed(campaigns, timezone.now):
            settled += done
            bar.update(done)
    return settled


def _campaigns(slugs: list[str]) -> list[Campaign]:
    found = {campaign.slug: campaign for campaign in Campaign.objects.filter(slug__in=slugs)}
    for slug in slugs:
        if slug not in found:
            raise CommandError(f"There is no campaign {slug}.")
    return list(found.values())


def _release(slug: str | None) -> Release | None:
    if slug is None:
        return None
    try:
        return Release.objects.get(slug=slug)
    except Release.DoesNotExist:
        raise CommandError(f"There is no release {slug}.") from None


def _licence(text: str | None) -> str | None:
    if text is None:
        return None
    if not (found := licences.tidied(text)):
        raise CommandError(f"{text!r} is no licence that is known here: {', '.join(licences.COMMON)}.")
    return found

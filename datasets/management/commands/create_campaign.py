from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from datasets import campaigns
from datasets.models import Campaign

# Fields that are set by an option of the same name.
FIELDS = (
    *("slug", "title", "purpose", "kind", "language", "wake_word", "guidelines", "drafts_by"),
    *("min_annotations", "max_annotations", "confidence", "contributor_cap", "must_hear"),
)


class Command(BaseCommand):
    help = "Opens a campaign: one question put to volunteers."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("--title", default="", help="default: made from its kind and language")
        parser.add_argument("--purpose", default="", help="one sentence: what it is for")
        parser.add_argument("--kind", required=True, choices=Campaign.Kind.values)
        parser.add_argument("--language", required=True, help="a language code such as en or pt-BR")
        parser.add_argument("--wake-word", default="")
        parser.add_argument("--guidelines", default="")
        parser.add_argument("--min-annotations", type=int, default=2)
        parser.add_argument("--max-annotations", type=int, help="default: 7, or --min-annotations if more")
        parser.add_argument(
            "--confidence", type=float, default=0.75, help="0 to 1: how sure a label must be to be settled"
        )
        parser.add_argument(
            "--contributor-cap", type=int, help="the most clips of one contributor per volunteer and day"
        )
        parser.add_argument(
            "--must-hear",
            type=float,
            default=1.0,
            help="0 to 1: the share of a clip to play before the page accepts “yes” or a transcript; "
            "half of it for other answers",
        )
        parser.add_argument(
            "--drafts-by",
            default="",
            metavar="MACHINE",
            help="import the column draft of manifests, by this machine, for volunteers who ask for it",
        )
        parser.add_argument(
            "--no-track-record",
            action="store_true",
            help="let the answers of new people alone settle a clip, without anyone who has a track record",
        )
        parser.add_argument(
            "--needs-clearing",
            action="store_true",
            help="releases for researchers, too, have only clips that two privacy reviewers cleared",
        )
        parser.add_argument("--owner", metavar="NAME", help="the pseudonym of the person who answers for it")
        parser.add_argument("--any-order", action="store_true", help="do not put clips without speech last")
        parser.add_argument(
            "--prompts", type=Path, metavar="FILE", help="sentences to read aloud, one per line"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        fields = {name: options[name] for name in FIELDS}
        if fields["max_annotations"] is None:
            fields["max_annotations"] = max(7, fields["min_annotations"])
        fields["owner"] = self._person(options["owner"]) if options["owner"] else None
        fields["prompts"] = self._read(options["prompts"]) if options["prompts"] else ""
        try:
            with transaction.atomic():
                campaign = campaigns.create(
                    **fields,
                    speech_first=not options["any_order"],
                    needs_track_record=not options["no_track_record"],
                    needs_clearing=options["needs_clearing"],
                )
                campaigns.record_change({}, campaign, None, timezone.now())
        except ValidationError as error:
            raise CommandError(_by_field(error)) from error
        self.stdout.write(f"Campaign {campaign.slug} is open: {campaign.title}")

    def _person(self, name: str) -> User:
        try:
            return User.objects.get_by_natural_key(name)
        except User.DoesNotExist as error:
            raise CommandError(f"owner: no one here is called {name!r}.") from error

    def _read(self, file: Path) -> str:
        try:
            return file.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"prompts: {error}") from error


def _by_field(error: ValidationError) -> str:
    """One line per field, named as the option is; what concerns several fields has no name."""
    return "\n".join(
        " ".join(problems)
        if field == NON_FIELD_ERRORS
        else f"{field.replace('_', '-')}: {' '.join(problems)}"
        for field, problems in error.message_dict.items()
    )

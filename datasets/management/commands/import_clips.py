import sys
from argparse import ArgumentParser
from collections import Counter
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from tqdm import tqdm

from accounts import audit
from accounts.refusals import Refusal, in_words
from datasets.clips import imports
from datasets.clips.imports import ImportItem, ImportOutcome
from datasets.clips.wording import WORDS
from datasets.models import Campaign

LONGEST_NAME = 100


class Command(BaseCommand):
    help = (
        "Imports a folder of audio, or a CSV manifest with the column path and, where known, language, "
        "speaker, wake_word, truth, transcript. When it is run again, it adds only what is missing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", type=Path)
        parser.add_argument("--campaign", required=True, metavar="SLUG")
        parser.add_argument("--contributor", required=True, metavar="NAME", help="the name of the collection")
        parser.add_argument(
            "--consent-reference",
            required=True,
            metavar="TEXT",
            help="where the speakers' consent is filed",
        )
        parser.add_argument(
            "--public",
            action="store_true",
            help="their consent covers public releases too, not only volunteers and researchers",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        run = imports.ImportRun(
            _campaign(options["campaign"]),
            _given(options, "contributor"),
            _given(options, "consent_reference"),
            timezone.now(),
            public=options["public"],
        )
        counts: Counter[str] = Counter()
        try:
            total = imports.count(options["path"])
            outcomes = run.store_all(imports.items(options["path"]))
            for item, outcome in tqdm(outcomes, total=total, unit="clip", file=sys.stderr, disable=None):
                counts[self._reported(item, outcome)] += 1
        except imports.BadSource as refusal:
            sentence = in_words(refusal, WORDS)
            raise CommandError(f"{sentence} {_summary(counts)}" if counts else sentence) from refusal
        finally:
            self._record(run.campaign, counts)
        if skipped := imports.skipped(options["path"]):
            self.stdout.write(f"Skipped {skipped} files whose names are not those of audio files.")
        self.stdout.write(f"{run.campaign.slug}: {_summary(counts)}")

    def _record(self, campaign: Campaign, counts: Counter[str]) -> None:
        """Also of an import that was ended early: what was stored is stored."""
        if counts:
            audit.record(
                audit.Act.IMPORTED, f"campaign {campaign.slug}", None, timezone.now(), {"clips": dict(counts)}
            )

    def _reported(self, item: ImportItem, outcome: ImportOutcome | Refusal) -> ImportOutcome:
        if isinstance(outcome, ImportOutcome):
            return outcome
        with tqdm.external_write_mode():
            self.stdout.write(f"refused: {item.name}: {in_words(outcome, WORDS)}")
        return ImportOutcome.REFUSED


def _campaign(slug: str) -> Campaign:
    try:
        return Campaign.objects.get(slug=slug)
    except Campaign.DoesNotExist:
        known = ", ".join(Campaign.objects.values_list("slug", flat=True)) or "none yet: see create_campaign"
        raise CommandError(f"There is no campaign {slug} (there are: {known}).") from None


def _given(options: dict[str, Any], name: str) -> str:
    value = options[name].strip()
    flag = f"--{name.replace('_', '-')}"
    if not value:
        raise CommandError(f"{flag} is empty.")
    if len(value) > LONGEST_NAME:
        raise CommandError(f"{flag} is {len(value)} characters long; the limit is {LONGEST_NAME}.")
    return value


def _summary(counts: Counter[str]) -> str:
    return ", ".join(f"{counts[outcome]} {outcome}" for outcome in ImportOutcome) + "."

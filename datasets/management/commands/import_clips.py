import sqlite3
import sys
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError
from django.utils import timezone
from tqdm import tqdm

from accounts import audit
from accounts.refusals import Refusal, in_words
from datasets import licences
from datasets.clips import imports
from datasets.clips.imports import ImportOutcome
from datasets.clips.manifests import Layout
from datasets.clips.sources import BadSource, ImportItem
from datasets.clips.wording import WORDS
from datasets.imports import archives
from datasets.models import Campaign

LONGEST_NAME = 100


class Command(BaseCommand):
    help = (
        "Imports a folder of audio, or a manifest (CSV or TSV) with the column path and, where known, "
        "language, speaker, wake_word, truth, transcript, licence; what Common Voice and others call these "
        "is understood. Or an archive of a release, as a folder or a tar; with --format, another collection "
        "in such a format. Each recording needs a licence, from its row, its archive or by --licence. When "
        "it is run again, it adds only what is missing."
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
            "--licence",
            default="",
            metavar="SPDX",
            help="the licence of all files whose row has none in a column licence, such as CC-BY-4.0",
        )
        parser.add_argument(
            "--format",
            default="",
            choices=["", *archives.FORMS],
            metavar="F",
            help=f"how it is laid out, unless it is an archive of a release: {', '.join(archives.FORMS)}",
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
            licence=_licence(options["licence"]),
        )
        source, form, done = options["path"], options["format"], _Done()
        try:
            if form or archives.is_archive(source):
                self._import_archive(run, source, form, done)
            else:
                self._import(run, source, done)
        except BadSource as refusal:
            raise CommandError(done.after(in_words(refusal, WORDS))) from refusal
        except OSError as error:
            place = f"{error.filename}: " if error.filename else ""
            raise CommandError(done.stopped(f"{place}{error.strerror or error}")) from error
        except (sqlite3.OperationalError, OperationalError) as error:
            if (reason := _disk_error(error)) is None:
                raise
            raise CommandError(done.stopped(reason)) from error
        self.stdout.write(f"{run.campaign.slug}: {done.summary()}")
        if done.repeated:
            self.stdout.write(f"{done.repeated} rows repeat another row; the first is {done.first_repeated}.")
        if done.folders:
            raise CommandError(
                f"{done.folders} folders were refused, so there may be more recordings than were imported."
            )

    def _describe(self, layout: Layout | None) -> None:
        """Say how a manifest's columns are understood, unless they all have our names."""
        if layout is None:
            return
        if layout.renamed:
            renamed = ", ".join(f"{name} as {field}" for field, name in layout.renamed.items())
            self.stdout.write(f"Columns read under another name: {renamed}.")
        if layout.ignored:
            self.stdout.write(f"Ignored columns: {', '.join(layout.ignored)}.")
        if layout.personal:
            columns = ", ".join(layout.personal)
            self.stdout.write(f"Ignored columns, because this site never stores such things: {columns}.")

    def _import(self, run: imports.ImportRun, source: Path, done: "_Done") -> None:
        self._describe(imports.layout(source))
        imports.check_licensed(source, run.licence)
        self._store(run, imports.items(source), imports.count(source), done)
        if skipped := imports.skipped(source):
            self.stdout.write(f"Skipped {skipped} files whose names are not those of audio files.")

    def _import_archive(self, run: imports.ImportRun, source: Path, form: str, done: "_Done") -> None:
        with closing(archives.opened(source, form)) as archive:
            words = run.campaign.asks_for_words
            survey = archive.survey(words)
            run.licence = archive.licence_beside(run.licence, survey)
            labels = "by its soft labels" if archive.has_labels else "without soft labels"
            self.stdout.write(
                f"Read as {archive.form.name}, {labels}; licence: {run.licence or 'of each row'}."
            )
            self._store(run, archive.items(words), survey.number, done)

    def _store(self, run: imports.ImportRun, items: Iterator[ImportItem], total: int, done: "_Done") -> None:
        outcomes = run.store_all(items)
        try:
            for item, outcome in tqdm(outcomes, total=total, unit="clip", file=sys.stderr, disable=None):
                done.count(item, self._reported(item, outcome))
        finally:
            self._record(run.campaign, done.counts)

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


class _Done:
    """Counts what became of the items so far."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.repeated = self.folders = 0
        self.first_repeated = ""

    def count(self, item: ImportItem, outcome: ImportOutcome) -> None:
        self.counts[outcome] += 1
        self.folders += item.is_folder
        if item.earlier_line:
            self.repeated += 1
            self.first_repeated = self.first_repeated or f"{item.name}, as line {item.earlier_line}"

    def summary(self) -> str:
        return ", ".join(f"{self.counts[outcome]} {outcome}" for outcome in ImportOutcome) + "."

    def after(self, sentence: str) -> str:
        return f"{sentence} {self.summary()}" if self.counts else sentence

    def stopped(self, reason: str) -> str:
        return f"Stopped: {reason}. {self.summary()} Run it again to continue."


def _disk_error(error: Exception) -> str | None:
    """What is wrong with a disk, if that is what a database says: PostgreSQL's or that of the key copy."""
    code = getattr(error.__cause__, "pgcode", None) or ""
    is_disk = isinstance(error, sqlite3.OperationalError) or code.startswith(("53", "58"))
    return str(error).splitlines()[0].rstrip(".") if is_disk else None


def _campaign(slug: str) -> Campaign:
    try:
        return Campaign.objects.get(slug=slug)
    except Campaign.DoesNotExist:
        known = ", ".join(Campaign.objects.values_list("slug", flat=True)) or "none yet: see create_campaign"
        raise CommandError(f"There is no campaign {slug} (there are: {known}).") from None


def _licence(text: str) -> str:
    if text and not licences.tidied(text):
        known = ", ".join(licences.COMMON)
        raise CommandError(
            f"--licence {text} is not known here. Write one of {known}, or a name of yours that begins with "
            f"{licences.OWN}."
        )
    return licences.tidied(text)


def _given(options: dict[str, Any], name: str) -> str:
    value = options[name].strip()
    flag = f"--{name.replace('_', '-')}"
    if not value:
        raise CommandError(f"{flag} is empty.")
    if len(value) > LONGEST_NAME:
        raise CommandError(f"{flag} is {len(value)} characters long; the limit is {LONGEST_NAME}.")
    return value

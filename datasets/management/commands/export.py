from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from tqdm import tqdm

from accounts import audit
from datasets.models import Release
from datasets.releases import formats, frozen
from datasets.releases.archive import Archive
from datasets.releases.formats import folder, summary
from datasets.releases.formats.rows import NotRepresentable, OutOfOrder, UnknownFormat
from datasets.releases.sound_files import LOST
from datasets.releases.wording import explained

EXPECTED_ERRORS = (
    UnknownFormat,
    folder.Occupied,
    folder.NotMounted,
    folder.BadEntry,
    NotRepresentable,
    OutOfOrder,
    *LOST,
    OSError,
)


class Command(BaseCommand):
    help = "Writes a release to a folder in one training format: the same bytes as its archive holds."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("release")
        parser.add_argument("--format", required=True, metavar="F", help=", ".join(formats.FORMATS))
        parser.add_argument("--to", required=True, type=Path, metavar="DIR")

    def handle(self, *args: Any, **options: Any) -> None:
        release = _release(options["release"])
        if release.retracted_at:
            raise CommandError(f"Nothing was written: it was retracted: {release.retracted_because}")
        try:
            form = formats.find(options["format"])
            with Archive(release, form) as archive:
                counts = archive.layout.summary
                files = tqdm(archive.entries(), total=archive.file_count, unit="file", disable=None)
                written = folder.write(files, options["to"])
        except EXPECTED_ERRORS as error:
            raise CommandError(f"Nothing was written: {explained(error)}") from error
        about, details = f"release {release.slug}", {"format": form.NAME}
        audit.record(audit.Act.EXPORTED, about, None, timezone.now(), details)
        self._report(release, options["to"], counts, written)
        if silent := frozen.count_silent(release):
            self.stdout.write(
                f"{silent} clips of the release were withdrawn or reported since its last recall feed. "
                "They are silent, and the next feed names them."
            )

    def _report(self, release: Release, to: Path, counts: summary.Summary, written: folder.Written) -> None:
        splits = ", ".join(f"{split} {subtotal.clips}" for split, subtotal in counts.splits.items())
        self.stdout.write(
            f"{release.slug}: {counts.clips} clips ({splits}) in {to}, "
            f"{written.files} files, {written.bytes / 1e6:.1f} MB."
        )
        for reason, count in counts.left_out.most_common():
            self.stdout.write(f"left out: {count} {reason}")
        if counts.clips and not all(subtotal.clips for subtotal in counts.splits.values()):
            self.stdout.write(
                "A split is empty: speakers are never divided between splits, and there are too few of them."
            )


def _release(slug: str) -> Release:
    try:
        return Release.objects.get(slug=slug)
    except Release.DoesNotExist:
        known = ", ".join(Release.objects.values_list("slug", flat=True)) or "none yet: see release"
        raise CommandError(f"There is no release {slug} (there are: {known}).") from None

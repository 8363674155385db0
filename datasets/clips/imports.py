"""Imports a collection: a folder of audio, or a CSV manifest that names files next to it.

A file that is refused is reported with its reason and does not stop the others. A run that was interrupted
continues where it stopped when it is started again.
"""

import csv
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from pathlib import Path

from django.db import transaction

from accounts import consent, contributors
from accounts.models import Purpose, User
from accounts.refusals import Refusal
from datasets import languages, normalise
from datasets.models import Campaign, Clip, Label

from . import audio, intake

AUDIO_NAMES = {".wav", ".wave", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".webm", ".m4a", ".mp4"}
TRUTHS = {"", "wake-word", "not-wake-word", *Label.values}
COLUMNS = {"path", "language", "speaker", "wake_word", "truth", "transcript", "draft"}
BATCH_CLIPS, BATCH_BYTES = 256, 16 * 2**20  # the most clips of one batch, and the most bytes of sound
LARGEST = 64 * 2**20  # bytes; 30 s at 192 kHz in stereo are far below


class SourceFault(StrEnum):
    """Why a folder or manifest cannot be read as one."""

    MISSING = "source-missing"
    UNKNOWN_KIND = "source-of-unknown-kind"
    NOT_UTF_8 = "manifest-not-utf-8"
    BROKEN_CSV = "manifest-broken-csv"
    NO_PATH_COLUMN = "manifest-without-path-column"
    COLUMN_TWICE = "manifest-column-twice"
    TOO_MANY_CELLS = "manifest-too-many-cells"


class BadSource(Refusal):
    """The folder or manifest cannot be read as one. Its code is a SourceFault."""


class ImportRefusal(StrEnum):
    """Why one file, or its row of the manifest, is refused."""

    MISSING = "file-missing"
    NOT_A_FILE = "not-a-file"
    TOO_LARGE = "file-too-large"
    UNREADABLE = "file-unreadable"
    BAD_LANGUAGE = "bad-language"
    OTHER_LANGUAGE = "other-language"
    BAD_TRUTH = "bad-truth"
    ZERO_CHARACTER = "zero-character"
    WITHDREW = "contributor-withdrew"


class FileRefused(Refusal):
    """One file of an import is refused. Its code is an ImportRefusal."""


class ImportOutcome(StrEnum):
    """What became of one file, as the command reports it."""

    ADDED = "added"
    EXISTING = "held already"  # programs read this phrase in the command's output
    REFUSED = "refused"


@dataclass(frozen=True)
class ImportItem:
    """One file of the source, with what the manifest says about it. `name` is for messages."""

    name: str
    path: str | Path
    language: str = ""
    speaker: str = ""
    wake_word: str = ""
    truth: str = ""
    transcript: str = ""
    draft: str = ""


def items(source: Path) -> Iterator[ImportItem]:
    """The files of a folder, sorted by name, or the rows of a manifest. Raises BadSource."""
    if source.is_dir():
        return _recordings(source)
    if source.suffix.lower() == ".csv" and source.is_file():
        return _rows(source)
    if source.is_file():
        raise BadSource(SourceFault.UNKNOWN_KIND, path=source)
    raise BadSource(SourceFault.MISSING, path=source)


def count(source: Path) -> int:
    """How many items there are. A manifest is read to its end for this. Raises BadSource."""
    if source.is_dir():
        return sum(is_audio(name) for _, name in _files(source))
    return sum(1 for _ in items(source))


def skipped(source: Path) -> int:
    """How many files of a folder are skipped because their names are not those of audio files."""
    return sum(not is_audio(name) for _, name in _files(source)) if source.is_dir() else 0


def is_audio(name: str) -> bool:
    return os.path.splitext(name)[1].lower() in AUDIO_NAMES and not name.startswith(".")


class ImportRun:
    """One run over a source: who its clips belong to, and the consent they rest on."""

    def __init__(
        self, campaign: Campaign, collection: str, reference: str, now: datetime, *, public: bool = False
    ) -> None:
        """`public`: the consent that `reference` names covers public releases too, not only researchers."""
        self.campaign, self.collection, self.reference, self.now = campaign, collection, reference, now
        # Named one by one: an import must not give consent for a purpose added later.
        self.purposes = [Purpose.VOLUNTEERS, Purpose.RESEARCHERS] + ([Purpose.PUBLIC] if public else [])
        self._people: dict[str, User] = {}

    def store_all(self, items: Iterable[ImportItem]) -> Iterator[tuple[ImportItem, ImportOutcome | Refusal]]:
        """Import all items. Yields each with its outcome or its refusal, in their order.

        They are stored in batches, each whole or not at all. The first ones are stored one by one, and a
        batch is at most a quarter of what was stored before it, so a run that is killed loses at most a
        quarter.
        """
        batch: list[tuple[ImportItem, intake.Submission | Refusal]] = []
        done = size = 0
        for item in items:
            submission = self._submission(item)
            batch.append((item, submission))
            size += 0 if isinstance(submission, Refusal) else submission.sound.samples.nbytes
            if len(batch) >= min(max(done // 4, 1), BATCH_CLIPS) or size >= BATCH_BYTES:
                yield from self._store_batch(batch)
                done += len(batch)
                batch, size = [], 0
        yield from self._store_batch(batch)

    def _store_batch(
        self, batch: Sequence[tuple[ImportItem, intake.Submission | Refusal]]
    ) -> Iterator[tuple[ImportItem, ImportOutcome | Refusal]]:
        submissions = [each for _, each in batch if isinstance(each, intake.Submission)]
        done = iter(intake.add_all(submissions, self.campaign, self.now) if submissions else ())
        for item, submission in batch:
            yield item, submission if isinstance(submission, Refusal) else _outcome(next(done))

    def _submission(self, item: ImportItem) -> intake.Submission | Refusal:
        """Reads and checks everything about a file that can be checked before it is stored."""
        try:
            language, truth = self._language(item), self._truth(item)
            draft = item.draft if self.campaign.drafts_by else ""
            if "\0" in truth + item.speaker:
                return FileRefused(ImportRefusal.ZERO_CHARACTER)
            normalise.check(draft)
            sound = intake.read(_bytes(item.path))
            person = self._contributor(item.speaker)
        except (FileRefused, audio.BadAudio, consent.NoConsent, normalise.BadTranscript) as refused:
            return refused
        origin = intake.Origin(person, Clip.Source.IMPORT, language, self.reference)
        return intake.Submission(sound, origin, truth, draft)

    def _contributor(self, speaker: str) -> User:
        if speaker not in self._people:
            person = contributors.find_or_create(self.collection, speaker)
            with transaction.atomic():
                consent.give(
                    person, self.campaign.material, self.purposes, self.now, reference=self.reference
                )
                # Checked while `give` has locked this person: a withdrawal may have been in progress.
                if consent.has_withdrawn(person):
                    raise FileRefused(ImportRefusal.WITHDREW)
            self._people[speaker] = person
        return self._people[speaker]

    def _language(self, item: ImportItem) -> str:
        language = item.language or self.campaign.language
        if not languages.is_code(language):
            raise FileRefused(ImportRefusal.BAD_LANGUAGE, language=item.language)
        # Volunteers can recognise a wake word in any language, but can only transcribe a language they know.
        wanted = self.campaign.language
        if self.campaign.asks_for_words and languages.primary(language) != languages.primary(wanted):
            raise FileRefused(ImportRefusal.OTHER_LANGUAGE, language=language, wanted=wanted)
        return language

    def _truth(self, item: ImportItem) -> str:
        """The answer according to the manifest, in the campaign's terms; empty if it gives none."""
        if self.campaign.asks_for_words:
            return item.transcript.strip()
        if item.truth not in TRUTHS:
            raise FileRefused(ImportRefusal.BAD_TRUTH, truth=item.truth)
        other_word = item.wake_word and normalise.text(item.wake_word) != self._wake_word
        if other_word and item.truth in {"wake-word", Label.YES}:
            return "not-wake-word"
        return item.truth

    @cached_property
    def _wake_word(self) -> str:
        return normalise.text(self.campaign.wake_word)


def _outcome(done: bool | Refusal) -> ImportOutcome | Refusal:
    if isinstance(done, Refusal):
        return done
    return ImportOutcome.ADDED if done else ImportOutcome.EXISTING


def _recordings(folder: Path) -> Iterator[ImportItem]:
    # Strings, because Path objects would take as long as reading the files.
    root = len(os.path.join(folder, ""))
    for here, name in _files(folder):
        if is_audio(name):
            path = os.path.join(here, name)
            yield ImportItem(_shown(path[root:]), path)


def _files(folder: Path) -> Iterator[tuple[str, str]]:
    for here, folders, names in os.walk(os.path.join(folder, "")):
        folders.sort()
        yield from ((here, name) for name in sorted(names))


def _shown(path: str) -> str:
    """A name that can be printed: file names may contain bytes that are not UTF-8."""
    return path.encode(errors="replace").decode()


def _rows(manifest: Path) -> Iterator[ImportItem]:
    with open(manifest, encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, strict=True)
        try:
            _check_columns(manifest, reader.fieldnames)
            for row in reader:
                yield _item(manifest, reader.line_num, row)
        except UnicodeDecodeError as error:
            line = _first_line_not_utf_8(manifest)
            raise BadSource(SourceFault.NOT_UTF_8, path=manifest, line=line, error=error.reason) from error
        except csv.Error as error:
            line = reader.line_num + 1
            raise BadSource(SourceFault.BROKEN_CSV, path=manifest, line=line, error=error) from error


def _first_line_not_utf_8(manifest: Path) -> int:
    """Reads the file again, because it is decoded in blocks, well ahead of the line being read."""
    with open(manifest, encoding="utf-8", errors="surrogateescape") as file:
        lines = enumerate(file, start=1)
        return next(number for number, line in lines if any("\udc80" <= c <= "\udcff" for c in line))


def _check_columns(manifest: Path, found: object) -> None:
    names = list(found or [])  # type: ignore[call-overload]
    if "path" not in names:
        found_names = ", ".join(names) or "nothing"
        raise BadSource(SourceFault.NO_PATH_COLUMN, path=manifest, line=1, found=found_names)
    twice = {name for name in names if names.count(name) > 1 and name in COLUMNS}
    if twice:
        raise BadSource(SourceFault.COLUMN_TWICE, path=manifest, line=1, column=twice.pop())


def _item(manifest: Path, line: int, row: dict[str, str | None]) -> ImportItem:
    if None in row:  # DictReader's name for cells beyond the last column
        raise BadSource(SourceFault.TOO_MANY_CELLS, path=manifest, line=line)
    cells = {name: (row.get(name) or "").strip() for name in COLUMNS}
    path = cells.pop("path")
    return ImportItem(f"line {line}: {path or '(no path)'}", manifest.parent / path, **cells)


def _bytes(path: str | Path) -> bytes:
    try:
        found = os.stat(path)
        if not stat.S_ISREG(found.st_mode):
            raise FileRefused(ImportRefusal.NOT_A_FILE)
        if found.st_size > LARGEST:
            megabytes, most = found.st_size / 2**20, LARGEST // 2**20
            raise FileRefused(ImportRefusal.TOO_LARGE, megabytes=megabytes, most=most)
        with open(path, "rb", buffering=0) as file:
            return file.read()
    except (FileNotFoundError, NotADirectoryError):
        raise FileRefused(ImportRefusal.MISSING) from None
    except (OSError, ValueError) as error:
        raise FileRefused(ImportRefusal.UNREADABLE, error=error) from error

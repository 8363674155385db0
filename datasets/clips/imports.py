"""Bring in a collection: a folder of audio, or a CSV manifest that names files beside it.

Each file stands for itself: one that is refused is named with its reason and hinders no other, and a
run that was cut goes on where it stopped when it is started again.
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
AT_ONCE, BYTES = 256, 16 * 2**20  # clips of one batch, and bytes of their sound
LARGEST = 64 * 2**20  # bytes; 30 s at 192 kHz in stereo are well below


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
    """Why one file, or what is said of it, is refused before its sound is looked at."""

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
    """What became of one file, as the command counts it."""

    ADDED = "added"
    EXISTING = "held already"
    REFUSED = "refused"


@dataclass(frozen=True)
class ImportItem:
    """One file of the source and what is said of it. `name` is how the source calls it."""

    name: str
    path: str | Path
    language: str = ""
    speaker: str = ""
    wake_word: str = ""
    truth: str = ""
    transcript: str = ""
    draft: str = ""


def items(source: Path) -> Iterator[ImportItem]:
    """The files of a folder in the order of their names, or the rows of a manifest. Raises BadSource."""
    if source.is_dir():
        return _recordings(source)
    if source.suffix.lower() == ".csv" and source.is_file():
        return _rows(source)
    if source.is_file():
        raise BadSource(SourceFault.UNKNOWN_KIND, path=source)
    raise BadSource(SourceFault.MISSING, path=source)


def count(source: Path) -> int:
    """How many items there are; a manifest is read to its end for this. Raises BadSource."""
    if source.is_dir():
        return sum(is_audio(name) for _, name in _files(source))
    return sum(1 for _ in items(source))


def passed_over(source: Path) -> int:
    """How many files of a folder are not taken for audio by their names."""
    return sum(not is_audio(name) for _, name in _files(source)) if source.is_dir() else 0


def is_audio(name: str) -> bool:
    return os.path.splitext(name)[1].lower() in AUDIO_NAMES and not name.startswith(".")


class Import:
    """One run over a source: who the clips belong to, and the consent they rest on."""

    def __init__(
        self, campaign: Campaign, collection: str, reference: str, now: datetime, *, public: bool = False
    ) -> None:
        """`public`: what the reference points to allows public releases too, and not researchers alone."""
        self.campaign, self.collection, self.reference, self.now = campaign, collection, reference, now
        self.purposes = list(Purpose) if public else [Purpose.VOLUNTEERS, Purpose.RESEARCHERS]
        self._people: dict[str, User] = {}

    def take_all(self, items: Iterable[ImportItem]) -> Iterator[tuple[ImportItem, ImportOutcome | Refusal]]:
        """Bring in all of them; yields each in turn with its outcome, or with the refusal.

        They are stored in batches, each whole or not at all. The first ones come one by one, and a batch is
        at most a quarter of what came before it: a run that is killed has no more than that to do again.
        """
        batch: list[tuple[ImportItem, intake.Submission | Refusal]] = []
        taken = size = 0
        for item in items:
            offer = self._offer(item)
            batch.append((item, offer))
            size += offer.sound.samples.nbytes if isinstance(offer, intake.Submission) else 0
            if len(batch) >= min(max(taken // 4, 1), AT_ONCE) or size >= BYTES:
                yield from self._store(batch)
                taken += len(batch)
                batch, size = [], 0
        yield from self._store(batch)

    def _store(
        self, batch: Sequence[tuple[ImportItem, intake.Submission | Refusal]]
    ) -> Iterator[tuple[ImportItem, ImportOutcome | Refusal]]:
        offers = [offer for _, offer in batch if isinstance(offer, intake.Submission)]
        done = iter(intake.add_all(offers, self.campaign, self.now) if offers else ())
        for item, offer in batch:
            yield item, offer if isinstance(offer, Refusal) else _outcome(next(done))

    def _offer(self, item: ImportItem) -> intake.Submission | Refusal:
        """Everything that can be known of a file before it is stored."""
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
                # Asked when giving has this person to itself: a withdrawal may have been on its way.
                if consent.has_withdrawn(person):
                    raise FileRefused(ImportRefusal.WITHDREW)
            self._people[speaker] = person
        return self._people[speaker]

    def _language(self, item: ImportItem) -> str:
        language = item.language or self.campaign.language
        if not languages.is_code(language):
            raise FileRefused(ImportRefusal.BAD_LANGUAGE, language=item.language)
        # A wake word can be listened for among any language; nobody can write down one they do not know.
        wanted = self.campaign.language
        if self.campaign.asks_for_words and languages.primary(language) != languages.primary(wanted):
            raise FileRefused(ImportRefusal.OTHER_LANGUAGE, language=language, wanted=wanted)
        return language

    def _truth(self, item: ImportItem) -> str:
        """What the manifest says the answer is, in the campaign's terms; empty when it says nothing."""
        if self.campaign.asks_for_words:
            return item.transcript.strip()
        if item.truth not in TRUTHS:
            raise FileRefused(ImportRefusal.BAD_TRUTH, truth=item.truth)
        other_word = item.wake_word and normalise.text(item.wake_word) != self._asked
        if other_word and item.truth in {"wake-word", Label.YES}:
            return "not-wake-word"
        return item.truth

    @cached_property
    def _asked(self) -> str:
        return normalise.text(self.campaign.wake_word)


def _outcome(done: bool | Refusal) -> ImportOutcome | Refusal:
    if isinstance(done, Refusal):
        return done
    return ImportOutcome.ADDED if done else ImportOutcome.EXISTING


def _recordings(folder: Path) -> Iterator[ImportItem]:
    # Of text and not of paths, which would take as long as reading the files.
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
    """A name for people: bytes that are no UTF-8, which a file's name may hold, cannot be printed."""
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
    """Looked for anew: a file is decoded in blocks, long before its lines are read one by one."""
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
    if None in row:  # what DictReader calls the column of cells that have none
        raise BadSource(SourceFault.TOO_MANY_CELLS, path=manifest, line=line)
    said = {name: (row.get(name) or "").strip() for name in COLUMNS}
    path = said.pop("path")
    return ImportItem(f"line {line}: {path or '(no path)'}", manifest.parent / path, **said)


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

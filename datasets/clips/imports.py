"""Imports a collection: a folder of audio, or a manifest that names files next to it.

A file that is refused is reported with its reason and does not stop the others. A run that was interrupted
continues where it stopped when it is started again.
"""

import os
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from django.db import transaction

from accounts import consent, contributors
from accounts.models import Purpose, User
from accounts.refusals import Refusal
from datasets import languages, licences, normalise
from datasets.models import Campaign, Clip, Label

from . import audio, folders, intake, manifests
from .sources import BadSource, FileRefused, ImportItem, ImportRefusal, SourceFault

TRUTHS = {"", "wake-word", "not-wake-word", *Label.values}
BATCH_CLIPS, BATCH_BYTES = 256, 16 * 2**20  # the most clips of one batch, and the most bytes of sound
LARGEST = 64 * 2**20  # bytes; 30 s at 192 kHz in stereo are far below

Outcomes = Sequence[tuple[ImportItem, "ImportOutcome | Refusal"]]


class ImportOutcome(StrEnum):
    """What became of one file, as the command reports it."""

    ADDED = "added"
    EXISTING = "held already"  # programs read this phrase in the command's output
    REFUSED = "refused"


def items(source: Path) -> Iterator[ImportItem]:
    """The files of a folder, sorted by name, or the rows of a manifest. Raises BadSource."""
    return folders.items(source) if _is_folder(source) else manifests.items(source)


def count(source: Path) -> int:
    """How many items there are. A manifest is read to its end for this. Raises BadSource."""
    return sum(1 for _ in folders.items(source)) if _is_folder(source) else manifests.count(source)


def skipped(source: Path) -> int:
    """How many files of a folder are skipped because their names are not those of audio files."""
    return folders.count_skipped(source) if source.is_dir() else 0


def layout(source: Path) -> manifests.Layout | None:
    """How the columns of a manifest were understood; None for a folder. Raises BadSource."""
    return None if _is_folder(source) else manifests.layout(source)


def check_licensed(source: Path, licence: str) -> None:
    """Raise BadSource if neither `licence` nor the source can say under which licence its files are."""
    found = layout(source)
    if not licence and not (found and "licence" in found.fields):
        raise BadSource(SourceFault.NO_LICENCE, path=source)


def _is_folder(source: Path) -> bool:
    """Raises BadSource if it is neither a folder nor a manifest."""
    if source.is_dir():
        return True
    if not source.exists():
        raise BadSource(SourceFault.MISSING, path=source)
    if source.suffix.lower() not in manifests.SUFFIXES or not source.is_file():
        raise BadSource(SourceFault.UNKNOWN_KIND, path=source)
    return False


class ImportRun:
    """One run over a source: who its clips belong to, and the consent they rest on."""

    def __init__(
        self,
        campaign: Campaign,
        collection: str,
        reference: str,
        now: datetime,
        *,
        public: bool = False,
        licence: str = "",
        brought_by: int | None = None,
        record: Callable[[Outcomes], None] | None = None,
    ) -> None:
        """`public`: the consent that `reference` names covers public releases too, not only researchers.

        `licence` is that of files whose row names none; a file without any is refused. `brought_by`: the
        number of the Import. `record` is called, in the transaction that stores clips, with what became of
        their files; whatever it raises stores none of them.
        """
        self.campaign, self.collection, self.reference, self.now = campaign, collection, reference, now
        self.licence, self.brought_by, self._record = licence, brought_by, record
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
        files = {id(submission): item for item, submission in batch}

        def record(stored: Sequence[intake.Submission], outcomes: Sequence[bool | Refusal]) -> None:
            if self._record:
                paired = zip(stored, outcomes, strict=True)
                self._record([(files[id(each)], _outcome(outcome)) for each, outcome in paired])

        done = iter(intake.add_all(submissions, self.campaign, self.now, record) if submissions else ())
        for item, submission in batch:
            yield item, submission if isinstance(submission, Refusal) else _outcome(next(done))

    def _submission(self, item: ImportItem) -> intake.Submission | Refusal:
        """Reads and checks everything about a file that can be checked before it is stored."""
        if item.fault:
            return item.fault
        try:
            language, truth, licence = self._language(item), self._truth(item), self._licence(item)
            voice = _voice(item)
            draft = item.draft if self.campaign.drafts_by else ""
            if "\0" in truth + item.speaker:
                return FileRefused(ImportRefusal.ZERO_CHARACTER)
            normalise.check(draft, self.campaign.language)
            sound = intake.read(item.read() if item.read else _bytes(item.path))
            person = self._contributor(item.speaker)
        except (FileRefused, audio.BadAudio, consent.NoConsent, normalise.BadTranscript) as refused:
            return refused
        origin = intake.Origin(
            person,
            Clip.Source.IMPORT,
            language,
            self.reference,
            licence=licence,
            voice=voice,
            brought_by=self.brought_by,
        )
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

    def _licence(self, item: ImportItem) -> str:
        """An SPDX identifier: what its row says, or else what was said of all."""
        licence = licences.tidied(item.licence) if item.licence else self.licence
        if item.licence and not licence:
            raise FileRefused(ImportRefusal.BAD_LICENCE, licence=item.licence)
        if not licence:
            raise FileRefused(ImportRefusal.NO_LICENCE)
        return licence

    def _language(self, item: ImportItem) -> str:
        language = languages.tidied(item.language) or self.campaign.language
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
        other_word = item.wake_word and not self.campaign.is_its_wake_word(item.wake_word)
        if other_word and item.truth in {"wake-word", Label.YES}:
            return "not-wake-word"
        return item.truth


def _voice(item: ImportItem) -> Clip.Voice:
    """Whether its row says that a machine made the voice."""
    if item.voice not in Clip.Voice.values:
        raise FileRefused(ImportRefusal.BAD_VOICE, voice=item.voice)
    return Clip.Voice(item.voice)


def _outcome(done: bool | Refusal) -> ImportOutcome | Refusal:
    if isinstance(done, Refusal):
        return done
    return ImportOutcome.ADDED if done else ImportOutcome.EXISTING


def _bytes(path: str | Path) -> bytes:
    try:
        return _read(path)
    except (FileNotFoundError, NotADirectoryError):
        pass
    except (OSError, ValueError) as error:
        raise FileRefused(ImportRefusal.UNREADABLE, error=error) from error
    real = manifests.on_disk(path)
    if real is None:
        raise FileRefused(ImportRefusal.MISSING)
    try:
        return _read(real)
    except FileNotFoundError:  # a link to nothing
        raise FileRefused(ImportRefusal.MISSING) from None
    except OSError as error:
        raise FileRefused(ImportRefusal.UNREADABLE, error=error) from error


def _read(path: str | Path) -> bytes:
    found = os.stat(path)
    if not stat.S_ISREG(found.st_mode):
        raise FileRefused(ImportRefusal.NOT_A_FILE)
    if found.st_size > LARGEST:
        megabytes, most = found.st_size / 2**20, LARGEST // 2**20
        raise FileRefused(ImportRefusal.TOO_LARGE, megabytes=megabytes, most=most)
    with open(path, "rb", buffering=0) as file:
        return file.read()

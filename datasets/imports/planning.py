"""Reads the tables of an import: which reading fits, what its first rows say, and which row each file has."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import BinaryIO

from django.db import transaction
from django.db.models import F

from accounts.refusals import Refusal
from datasets.clips import manifests
from datasets.clips.sources import BadSource, FileRefused, ImportItem, ImportRefusal, SourceFault
from datasets.models import Import, ImportFile

from . import archives, parts, rows, sealing, tables, unpacking
from .refusals import BringingRefusal, ImportRefused, SentFault
from .tables import Layout, Reading

BATCH_SIZE = 500
FIRST_ROWS = 5
State, Kind = ImportFile.State, ImportFile.Kind


@dataclass(frozen=True)
class Column:
    """A column of a table, what it is read as, and its first cells."""

    name: str
    field: str
    cells: list[str]
    is_personal: bool
    is_unknown: bool


@dataclass(frozen=True)
class Preview:
    """How the files would be read, before anything is stored as a clip."""

    readings: list[Reading]
    reading: Reading
    columns: list[Column]  # of a table with columns
    rows: list[ImportItem]  # of any other
    fault: BadSource | None = None


class Files:
    """The complete files of an import: names of tables and recordings, and the tables' content."""

    def __init__(self, run: Import, key: bytes) -> None:
        self.key, self._asks_for_words = key, run.campaign.asks_for_words
        self.tables: dict[str, ImportFile] = {}
        self.sounds: dict[str, int] = {}
        self.replaced: list[int] = []  # recordings after which another of the same name was sent
        whole = run.files.filter(state=State.WAITING, received=F("size")).order_by("pk")
        for file in whole.iterator(chunk_size=2_000):
            name = sealing.about_file(key, file)["name"]
            if file.kind == Kind.TABLE:
                self.tables[name] = file
            else:
                if name in self.sounds:
                    self.replaced.append(self.sounds[name])
                self.sounds[name] = file.pk

    def content(self, name: str) -> BinaryIO:
        """Reading it raises BadSource if it is gone: backups have no uploads."""
        return parts.opened(self.key, self.tables[name], name)

    def archive(self) -> archives.Archive:
        """Raises BadSource if it is none."""
        return archives.Archive(_Sent(self))

    def readings(self) -> list[Reading]:
        return tables.readings(self.tables, self.sounds)

    def reading(self, wanted: str) -> Reading:
        """The one of this text, or the likeliest. Raises ImportRefused if there is none of this text."""
        all_ = self.readings()
        found = next((each for each in all_ if str(each) == wanted), None if wanted else all_[0])
        if found is None:
            raise ImportRefused(BringingRefusal.UNKNOWN_TABLE)
        return found

    def items(self, reading: Reading, fields: Sequence[str] | None) -> Iterator[ImportItem]:
        if reading.layout == Layout.ARCHIVE:
            return self.archive().items(self._asks_for_words, with_sound=False)
        if reading.layout in {Layout.FILES, Layout.FOLDERS}:
            return (tables.of_name(reading, name) for name in self.sounds)
        return tables.items(reading, self.tables, self.content, tuple(fields) if fields else None)


class _Sent:
    """The files of an import as a tree. Their sounds are read one by one, by the numbers of their rows."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self.name, self.others = "", sorted(files.tables)

    def sounds(self) -> Iterator[ImportItem]:
        return (ImportItem(name, name) for name in sorted(self._files.sounds))

    def has(self, name: str) -> bool:
        return name in self._files.sounds or name in self._files.tables

    def open(self, name: str) -> BinaryIO:
        if name not in self._files.tables:
            raise BadSource(SourceFault.MISSING, path=name)
        return self._files.content(name)

    def bound(self, item: ImportItem) -> ImportItem:
        return item

    def close(self) -> None:
        pass


def preview(run: Import, wanted: str = "", fields: Sequence[str] | None = None) -> Preview:
    """Raises ImportRefused."""
    files = Files(run, sealing.key_of(run))
    reading = files.reading(wanted)
    shown = Preview(files.readings(), reading, [], [])
    try:
        if reading.layout == Layout.COLUMNS:
            return replace(shown, columns=_columns(tables.held(reading, files.content), fields))
        return replace(shown, rows=list(islice(files.items(reading, None), FIRST_ROWS)))
    except BadSource as fault:
        return replace(shown, fault=fault)


def check(run: Import, key: bytes, wanted: str, fields: Sequence[str] | None, licence: str) -> Reading:
    """Read everything to its end, so that nothing begins that would end in the middle.

    Raises BadSource and ImportRefused.
    """
    files = Files(run, key)
    reading = files.reading(wanted)
    if reading.layout == Layout.ARCHIVE:
        _check_archive(files.archive(), run.campaign.asks_for_words, licence)
        return reading
    if not files.sounds:
        raise ImportRefused(BringingRefusal.NO_SOUNDS)
    names_licence = reading.layout == Layout.NEMO
    if reading.layout == Layout.COLUMNS:
        held = tables.held(reading, files.content, tuple(fields) if fields else None)
        names_licence = "licence" in manifests.layout(held).fields
    if not licence and not names_licence:
        raise ImportRefused(BringingRefusal.NO_LICENCE)
    for _ in files.items(reading, fields):
        pass
    return reading


def _check_archive(archive: archives.Archive, asks_for_words: bool, licence: str) -> None:
    archive.check_licence(licence)
    found = archive.survey(asks_for_words)
    if not found.number:
        raise ImportRefused(BringingRefusal.NO_SOUNDS)
    if not licence and not found.names_licence:
        raise ImportRefused(BringingRefusal.NO_LICENCE)


def plan(run: Import, key: bytes) -> None:
    """Give every file its row of the table, and refuse what has none. All of it or nothing; may run again."""
    about = sealing.about(key, run)
    files = Files(run, key)
    reading = files.reading(about["reading"])
    if reading.layout == Layout.ARCHIVE and (archive := files.archive()).holds_sounds:
        _plan_archive(run, key, files, archive)
        return
    planner = _Planner(run, key, reading, files.sounds)
    with transaction.atomic():
        locked = Import.objects.select_for_update(no_key=True).get(pk=run.pk)
        if locked.state != Import.State.RUNNING or locked.is_planned:
            return
        items = files.items(reading, about["fields"])
        while some := list(islice(items, BATCH_SIZE)):
            planner.take(some)
        planner.refuse(planner.unnamed, SentFault.NOT_IN_TABLE)
        planner.refuse(files.replaced, SentFault.REPLACED)
        _mark_planned(run)


def _plan_archive(run: Import, key: bytes, files: Files, archive: archives.Archive) -> None:
    """Store each recording of an archive as a file of its own; then the archive itself waits no more."""
    unpacked = unpacking.unpack(run, key, archive)
    planner = _Planner(run, key, Reading(Layout.ARCHIVE), files.sounds)
    with transaction.atomic():
        locked = Import.objects.select_for_update(no_key=True).get(pk=run.pk)
        if locked.state != Import.State.RUNNING or locked.is_planned:
            return
        planner.refuse(planner.unnamed - unpacked, SentFault.NOT_IN_TABLE)
        _mark_planned(run)


def _mark_planned(run: Import) -> None:
    run.files.filter(kind=Kind.TABLE, state=State.WAITING).update(state=State.ADDED, sealed_about=b"")
    Import.objects.filter(pk=run.pk).update(is_planned=True)
    run.is_planned = True


class _Planner:
    def __init__(self, run: Import, key: bytes, reading: Reading, sounds: dict[str, int]) -> None:
        self.run, self.key, self.reading = run, key, reading
        self.index = tables.Index(sounds)
        self.unnamed = set(sounds.values())
        self.refused: list[ImportFile] = []
        self.rows: dict[int, int] = {}  # the hash of the row of each file

    def take(self, items: Sequence[ImportItem]) -> None:
        found: dict[int, ImportItem] = {}
        self.refused = []
        for item in items:
            number = self._number(item)
            if number is None:
                self._refuse_row(item, item.fault or FileRefused(ImportRefusal.MISSING))
            elif number in self.rows:
                self._repeated(item, number)
            else:
                self.rows[number] = hash(_row_of(item))
                self.unnamed.discard(number)
                found[number] = item
        files = self.run.files.filter(pk__in=found)
        self._save([self._planned(file, found[file.pk]) for file in files])
        ImportFile.objects.bulk_create(self.refused, ignore_conflicts=True)

    def refuse(self, numbers: Collection[int], why: SentFault) -> None:
        """These files, which the table does not name, or which it cannot mean."""
        rest = sorted(numbers)
        for start in range(0, len(rest), BATCH_SIZE):
            files = list(self.run.files.filter(pk__in=rest[start : start + BATCH_SIZE]))
            for file in files:
                rows.refuse(self.key, file, FileRefused(why))
            self._save(files)

    def _number(self, item: ImportItem) -> int | None:
        if item.fault and item.fault.code != ImportRefusal.CONTRADICTS:
            return None
        return self.index.find(str(item.path), by_id=self.reading.has_ids)

    def _repeated(self, item: ImportItem, number: int) -> None:
        """A row that says the same of its file again adds nothing; any other is refused."""
        if item.fault or self.rows[number] != hash(_row_of(item)):
            self._refuse_row(item, item.fault or FileRefused(SentFault.CONTRADICTS))

    def _planned(self, file: ImportFile, item: ImportItem) -> ImportFile:
        if item.fault:
            return rows.refuse(self.key, file, item.fault)
        about = sealing.about_file(self.key, file)
        about["row"] = rows.said_of(item)
        file.sealed_about = sealing.sealed_file(self.key, self.run.pk, file.mark, about)
        return file

    def _refuse_row(self, item: ImportItem, why: Refusal) -> None:
        self.refused.append(rows.refused_row(self.run, self.key, item, why))

    def _save(self, files: Sequence[ImportFile]) -> None:
        ImportFile.objects.bulk_update(files, ["state", "sealed_about"], batch_size=BATCH_SIZE)


def _row_of(item: ImportItem) -> tuple[str, ...]:
    return tuple(getattr(item, name) for name in rows.FIELDS)


def _columns(table: manifests.HeldManifest, fields: Sequence[str] | None) -> list[Column]:
    names, rows = manifests.beginning(table, FIRST_ROWS)
    fields = [*(fields or manifests.guessed(names)), *[""] * len(names)][: len(names)]
    return [
        Column(
            name,
            field,
            [row[place] if place < len(row) else "" for row in rows],
            manifests.is_personal(name),
            manifests.is_unknown(name),
        )
        for place, (name, field) in enumerate(zip(names, fields, strict=True))
    ]

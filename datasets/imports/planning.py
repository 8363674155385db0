"""Reads the tables of an import: which reading fits, what its first rows say, and which row each file has."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from django.db import transaction
from django.db.models import F

from accounts.ciphers import KeyLost
from accounts.refusals import Refusal
from datasets.clips import manifests
from datasets.clips.sources import BadSource, FileRefused, ImportItem, ImportRefusal, SourceFault
from datasets.models import Import, ImportFile

from . import parts, sealing, tables
from .refusals import BringingRefusal, ImportRefused, SentFault
from .tables import Layout, Reading

BATCH_SIZE = 500
FIRST_ROWS = 5
# What a row may say of a recording, besides which file it is.
FIELDS = ("speaker", "language", "wake_word", "truth", "transcript", "draft", "licence")
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
        self.key = key
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

    def content(self, name: str) -> bytes:
        """Raises BadSource if it is gone: backups have no uploads."""
        try:
            return parts.read(self.key, self.tables[name])
        except (FileNotFoundError, KeyLost) as error:
            raise BadSource(SourceFault.MISSING, path=name) from error

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
        if reading.layout in {Layout.FILES, Layout.FOLDERS}:
            return (tables.of_name(reading, name) for name in self.sounds)
        return tables.items(reading, self.tables, self.content, tuple(fields) if fields else None)


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


def plan(run: Import, key: bytes) -> None:
    """Give every file its row of the table, and refuse what has none. All of it or nothing; may run again."""
    about = sealing.about(key, run)
    files = Files(run, key)
    reading = files.reading(about["reading"])
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
        rows = self.run.files.filter(pk__in=found)
        self._save([self._planned(file, found[file.pk]) for file in rows])
        ImportFile.objects.bulk_create(self.refused, ignore_conflicts=True)

    def refuse(self, numbers: Collection[int], why: SentFault) -> None:
        """These files, which the table does not name, or which it cannot mean."""
        rest = sorted(numbers)
        for start in range(0, len(rest), BATCH_SIZE):
            files = list(self.run.files.filter(pk__in=rest[start : start + BATCH_SIZE]))
            for file in files:
                refuse(self.key, file, FileRefused(why))
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
            return refuse(self.key, file, item.fault)
        about = sealing.about_file(self.key, file)
        about["row"] = {name: getattr(item, name) for name in FIELDS if getattr(item, name)}
        file.sealed_about = sealing.sealed_file(self.key, self.run.pk, file.mark, about)
        return file

    def _refuse_row(self, item: ImportItem, why: Refusal) -> None:
        """A row without a file of its own is counted and named among the refused."""
        mark = sealing.mark(self.key, "row", item.name)
        about: dict[str, Any] = {"name": item.name, "refusal": described(why)}
        row = ImportFile(run=self.run, mark=mark, kind=Kind.SOUND, state=State.REFUSED, size=0)
        row.sealed_about = sealing.sealed_file(self.key, self.run.pk, mark, about)
        self.refused.append(row)

    def _save(self, files: Sequence[ImportFile]) -> None:
        ImportFile.objects.bulk_update(files, ["state", "sealed_about"], batch_size=BATCH_SIZE)


def refuse(key: bytes, file: ImportFile, why: Refusal) -> ImportFile:
    """Keep of a file its name and why it was refused, and nothing else. Does not save."""
    file.state = State.REFUSED
    kept = {"name": sealing.about_file(key, file)["name"], "refusal": described(why)}
    file.sealed_about = sealing.sealed_file(key, file.run_id, file.mark, kept)
    return file


def described(why: Refusal) -> list[Any]:
    """A refusal as JSON: its code, and its parameters as far as JSON can say them."""
    said = {n: v if isinstance(v, int | float | str) else str(v) for n, v in why.parameters.items()}
    return [str(why.code), said]


def _row_of(item: ImportItem) -> tuple[str, ...]:
    return tuple(getattr(item, name) for name in FIELDS)


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

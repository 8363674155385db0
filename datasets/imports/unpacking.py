"""Stores each recording of an archive, or of a file that holds many, as a file of its own that waits."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from django.db import transaction

from accounts.refusals import Refusal
from datasets.clips import vault
from datasets.clips.sources import BadSource, FileRefused, ImportItem
from datasets.models import Import, ImportFile, ImportPart

from . import archives, parts, rows, sealing

BATCH_FILES, BATCH_BYTES = 100, 16 * 2**20
State, Kind = ImportFile.State, ImportFile.Kind


@dataclass(frozen=True)
class _Unpacked:
    item: ImportItem
    content: bytes
    fault: Refusal | None

    def row(self, run: Import, key: bytes) -> ImportFile:
        if self.fault:
            return rows.refused_row(run, key, self.item, self.fault)
        mark = sealing.mark(key, "unpacked", self.item.name)
        size, sha256 = len(self.content), hashlib.sha256(self.content).hexdigest()
        file = ImportFile(run=run, mark=mark, kind=Kind.SOUND, state=State.WAITING, size=size, received=size)
        about = {"name": self.item.name, "sha256": sha256, "row": rows.said_of(self.item)}
        file.sealed_about = sealing.sealed_file(key, run.pk, mark, about)
        return file


def unpack(run: Import, key: bytes, archive: archives.Archive) -> set[int]:
    """The numbers of the files. May be killed and run again: what is stored already is passed over.

    Stops in the middle if the import is ended meanwhile, or at what is broken, which is named as refused.
    """
    numbers: set[int] = set()
    for batch in _batches(_readable(archive.items(run.campaign.asks_for_words))):
        with transaction.atomic():
            locked = Import.objects.select_for_update(no_key=True).get(pk=run.pk)
            if locked.state != Import.State.RUNNING or locked.is_planned:
                return numbers
            numbers |= _store(run, key, batch)
    return numbers


def _readable(items: Iterator[ImportItem]) -> Iterator[ImportItem]:
    """Up to where a file is broken."""
    try:
        yield from items
    except BadSource as fault:
        path = str(fault.parameters.get("path", ""))
        yield ImportItem(path, path, fault=FileRefused(fault.code, **fault.parameters))


def _batches(items: Iterator[ImportItem]) -> Iterator[list[_Unpacked]]:
    batch: list[_Unpacked] = []
    size = 0
    for item in items:
        batch.append(_read(item))
        size += len(batch[-1].content)
        if len(batch) == BATCH_FILES or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _read(item: ImportItem) -> _Unpacked:
    fault: Refusal | None = item.fault
    if fault is None and item.read:
        try:
            return _Unpacked(item, item.read(), None)
        except FileRefused as refused:
            fault = refused
    return _Unpacked(item, b"", fault)


def _store(run: Import, key: bytes, batch: list[_Unpacked]) -> set[int]:
    made = [(each.row(run, key), each.content) for each in batch]
    marks = [file.mark for file, _ in made]
    known = dict(run.files.filter(mark__in=marks).values_list("mark", "pk"))
    new = list({file.mark: (file, content) for file, content in made if file.mark not in known}.values())
    ImportFile.objects.bulk_create([file for file, _ in new])
    names = vault.new_names(len(new))
    stored = [
        (ImportPart(file=file, offset=0, size=len(content), stored_as=name), content)
        for (file, content), name in zip(new, names, strict=True)
        if content
    ]
    ImportPart.objects.bulk_create([part for part, _ in stored])
    parts.put_all(key, [(part.stored_as, content) for part, content in stored])
    return set(known.values()) | {file.pk for file, _ in new}

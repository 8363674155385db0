"""Makes an import and takes its files, in parts. Anything that is sent twice is taken once."""

import os
import shutil
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.files.storage import storages
from django.db import transaction
from django.db.models import F

from accounts.models import User
from accounts.refusals import Refusal
from datasets import licences
from datasets.clips import folders, vault
from datasets.clips.imports import LARGEST
from datasets.clips.sources import FileRefused, ImportRefusal
from datasets.models import Campaign, Import, ImportFile, ImportPart

from . import parts, sealing, tables
from .refusals import BringingRefusal, ImportRefused, SentFault

LONGEST_TEXT = 100  # of a collection's name and a consent reference, as in the command
LONGEST_NAME = 1_000  # of a file, with its folders
LARGEST_HOLDING = 2**30  # bytes of a file that holds many recordings
NOTED_EVERY = timedelta(minutes=1)
State, Kind = ImportFile.State, ImportFile.Kind


@dataclass(frozen=True)
class Named:
    """A file that is about to be sent: its path, its size in bytes, the SHA-256 of its content in hex."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Part:
    """Bytes of a file, by its number, from `offset` on."""

    file: int
    offset: int
    content: bytes


def make(
    campaign: Campaign,
    owner: User,
    collection: str,
    reference: str,
    now: datetime,
    *,
    licence: str = "",
    public: bool = False,
) -> Import:
    """`licence` may be empty if a column of the table will name it. Raises ImportRefused."""
    collection, reference = collection.strip(), reference.strip()
    if not collection or "\0" in collection:
        raise ImportRefused(BringingRefusal.NO_COLLECTION)
    if not reference or "\0" in reference:
        raise ImportRefused(BringingRefusal.NO_REFERENCE)
    if max(len(collection), len(reference)) > LONGEST_TEXT:
        raise ImportRefused(BringingRefusal.TOO_LONG, most=LONGEST_TEXT)
    if licence and not licences.tidied(licence):
        raise ImportRefused(BringingRefusal.UNKNOWN_LICENCE)
    with transaction.atomic():
        run = Import.objects.create(
            campaign=campaign,
            owner=owner,
            is_public=public,
            licence=licences.tidied(licence),
            wrapped_key=b"",
            used_at=now,
        )
        key = sealing.make_key(run, owner)
        run.sealed_about = sealing.sealed_about(key, run, {"collection": collection, "reference": reference})
        run.save(update_fields=["wrapped_key", "sealed_about"])
    return run


def name_files(run: Import, named: Sequence[Named], now: datetime) -> list[ImportFile]:
    """Each of these files, in their order, with what of it is here already; those that were refused, too.

    Raises ImportRefused if they are too much for this import or this disk.
    """
    key = sealing.key_of(run)
    tidy = [Named(tidied(each.name), each.size, each.sha256.lower()) for each in named]
    marks = [sealing.mark(key, each.name, each.size, each.sha256) for each in tidy]
    with transaction.atomic():
        _lock_gathering(run)
        known = set(run.files.filter(mark__in=marks).values_list("mark", flat=True))
        new = {mark: each for mark, each in zip(marks, tidy, strict=True) if mark not in known}
        rows = [_row(run, key, mark, each) for mark, each in new.items()]
        coming = sum(row.size for row in rows if row.state == State.WAITING)
        _check_space(run, coming)
        ImportFile.objects.bulk_create(rows)
        Import.objects.filter(pk=run.pk).update(size=F("size") + coming, used_at=now)
    by_mark = {file.mark: file for file in run.files.filter(mark__in=marks)}
    return [by_mark[mark] for mark in marks]


def tidied(name: str) -> str:
    """A file's path in one form: with slashes, composed, and relative to what was dropped."""
    clean = unicodedata.normalize("NFC", name.replace("\\", "/"))
    return os.path.normpath(clean).lstrip("/") if clean.strip("/. ") else ""


def receive(run: Import, sent: Sequence[Part], now: datetime) -> dict[int, int]:
    """Store these parts; returns how many bytes of each of their files are here now.

    A part that is here already, or does not follow on what is here, changes nothing. Raises ImportRefused.
    """
    key = sealing.key_of(run)
    names = vault.new_names(len(sent))
    try:
        with transaction.atomic():
            files = run.files.select_for_update().filter(pk__in={part.file for part in sent}).order_by("pk")
            locked = {file.pk: file for file in files}
            new = _new_parts(run, sent, locked, names)
            ImportPart.objects.bulk_create([row for row, _ in new])
            ImportFile.objects.bulk_update({row.file for row, _ in new}, ["received"])
            parts.put_all(key, [(row.stored_as, content) for row, content in new])
    except BaseException:
        stored = set(ImportPart.objects.filter(stored_as__in=names).values_list("stored_as", flat=True))
        parts.destroy_all([name for name in names if name not in stored])
        raise
    Import.objects.filter(pk=run.pk, used_at__lt=now - NOTED_EVERY).update(used_at=now)
    return {pk: file.received for pk, file in locked.items()}


def _new_parts(
    run: Import, sent: Sequence[Part], locked: Mapping[int, ImportFile], names: Sequence[str]
) -> list[tuple[ImportPart, bytes]]:
    # Read after the files are locked: whoever ends the import deletes what came in before.
    if not Import.objects.filter(pk=run.pk, state=Import.State.GATHERING).exists():
        raise ImportRefused(BringingRefusal.NOT_GATHERING)
    new = []
    for part, name in zip(sent, names, strict=True):
        file = locked.get(part.file)
        if file is None:
            raise ImportRefused(BringingRefusal.UNKNOWN_FILE)
        if part.offset + len(part.content) > file.size:
            raise ImportRefused(BringingRefusal.TOO_MANY_BYTES)
        if file.state == State.WAITING and part.offset == file.received and part.content:
            file.received += len(part.content)
            row = ImportPart(file=file, offset=part.offset, size=len(part.content), stored_as=name)
            new.append((row, part.content))
    return new


def _lock_gathering(run: Import) -> None:
    locked = Import.objects.select_for_update(no_key=True).get(pk=run.pk)
    if locked.state != Import.State.GATHERING:
        raise ImportRefused(BringingRefusal.NOT_GATHERING)


def _check_space(run: Import, coming: int) -> None:
    most = settings.IMPORT_GIGABYTES * 2**30
    if Import.objects.get(pk=run.pk).size + coming > most:
        raise ImportRefused(BringingRefusal.TOO_MUCH, most=settings.IMPORT_GIGABYTES)
    location = getattr(storages["uploads"], "location", None)
    if location is None or not coming:
        return
    os.makedirs(location, mode=0o700, exist_ok=True)
    if shutil.disk_usage(location).free - coming < settings.IMPORT_LEAVES_GIGABYTES * 2**30:
        raise ImportRefused(BringingRefusal.NO_SPACE)


def _row(run: Import, key: bytes, mark: str, named: Named) -> ImportFile:
    fault = _fault(named)
    about: dict[str, Any] = {"name": named.name or "?", "sha256": named.sha256}
    if fault:
        about["refusal"] = [fault.code, fault.parameters]
    return ImportFile(
        run=run,
        mark=mark,
        kind=Kind.TABLE if tables.is_table(named.name) else Kind.SOUND,
        state=State.REFUSED if fault else State.WAITING,
        size=named.size,
        sealed_about=sealing.sealed_file(key, run.pk, mark, about),
    )


def _fault(named: Named) -> Refusal | None:
    """Why this file need not be sent."""
    name = named.name
    if not name or name.startswith("../") or "\0" in name or len(name) > LONGEST_NAME:
        return FileRefused(SentFault.BAD_NAME)
    if not tables.is_table(name) and not folders.is_audio(os.path.basename(name)):
        return FileRefused(SentFault.UNKNOWN_KIND)
    if named.size == 0:
        return FileRefused(SentFault.EMPTY)
    largest = LARGEST_HOLDING if name.casefold().endswith(tables.HOLDING_SOUNDS) else LARGEST
    if named.size > largest:
        megabytes, most = named.size / 2**20, largest // 2**20
        return FileRefused(ImportRefusal.TOO_LARGE, megabytes=megabytes, most=most)
    return None

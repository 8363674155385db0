"""Bytes that wait: sealed under the key of their import, in the storage for uploads, as short as possible."""

import io
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import BinaryIO

from django.core.files.base import ContentFile
from django.core.files.storage import Storage, storages
from django.db.models import QuerySet

from accounts import ciphers
from datasets.clips.sources import BadSource, SourceFault
from datasets.clips.vault import DurableFiles, NotDestroyed
from datasets.models import Import, ImportFile, ImportPart

from .seekable import Seekable

BATCH_SIZE = 500


def put_all(key: bytes, parts: Iterable[tuple[str, bytes]]) -> None:
    """Store these bytes under these names; all are on disk when this returns."""
    sealed = ((name, ciphers.seal(key, content, _label(name))) for name, content in parts)
    storage = _storage()
    if isinstance(storage, DurableFiles):
        storage.save_all(sealed)
    else:
        for name, content in sealed:
            storage.save(name, ContentFile(content))


def read(key: bytes, file: ImportFile) -> bytes:
    """The whole file. Raises FileNotFoundError and accounts.ciphers.KeyLost."""
    names = file.parts.order_by("offset").values_list("stored_as", flat=True)
    return b"".join(ciphers.unseal(key, _read(name), _label(name)) for name in names)


def opened(key: bytes, file: ImportFile, name: str) -> BinaryIO:
    """The file, of which one part at a time is in memory. `name` is for messages.

    Reading raises BadSource if a part is gone: backups have no uploads.
    """
    found = file.parts.order_by("offset").values_list("offset", "stored_as")
    return io.BufferedReader(_Opened(key, list(found), file.size, name))


class _Opened(Seekable):
    def __init__(self, key: bytes, parts: Sequence[tuple[int, str]], size: int, name: str) -> None:
        super().__init__(size)
        self._key, self._name = key, name
        self._offsets, self._stored_as = [offset for offset, _ in parts], [stored for _, stored in parts]
        self._held, self._content = -1, b""

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if self._at >= self._size:
            return 0
        place = bisect_right(self._offsets, self._at) - 1
        if place != self._held:
            self._content, self._held = self._part(place), place
        first = self._at - self._offsets[place]
        some = self._content[first : first + len(buffer)]
        buffer[: len(some)] = some
        self._at += len(some)
        return len(some)

    def _part(self, place: int) -> bytes:
        try:
            stored_as = self._stored_as[place]
            return ciphers.unseal(self._key, _read(stored_as), _label(stored_as))
        except (IndexError, FileNotFoundError, ciphers.KeyLost) as error:
            raise BadSource(SourceFault.MISSING, path=self._name) from error


def discard(parts: QuerySet[ImportPart]) -> None:
    """Delete these bytes, then their rows: whatever is left unfinished still has its row."""
    while some := list(parts.order_by("pk")[:BATCH_SIZE]):
        destroy_all([part.stored_as for part in some])
        ImportPart.objects.filter(pk__in=[part.pk for part in some]).delete()


def discard_read(run: Import) -> None:
    """Delete the bytes of this import's files that wait no more."""
    discard(ImportPart.objects.filter(file__run=run).exclude(file__state=ImportFile.State.WAITING))


def destroy_all(names: Sequence[str]) -> None:
    """Raises datasets.clips.vault.NotDestroyed if one is still there afterwards."""
    storage = _storage()
    for name in names:
        storage.delete(name)
        if storage.exists(name):
            raise NotDestroyed(f"{name} is still among the uploads")


def destroy_orphans(before: datetime) -> int:
    """Delete files that no row names: of requests that were killed before their commit."""
    number = 0
    for name in _names(_storage()):
        if not ImportPart.objects.filter(stored_as=name).exists() and _is_older(name, before):
            destroy_all([name])
            number += 1
    return number


def _names(storage: Storage, folder: str = "") -> Iterator[str]:
    try:
        folders, files = storage.listdir(folder)
    except FileNotFoundError:
        return
    yield from (f"{folder}{name}" for name in files)
    for name in folders:
        yield from _names(storage, f"{folder}{name}/")


def _is_older(name: str, than: datetime) -> bool:
    try:
        return bool(_storage().get_modified_time(name) < than)
    except FileNotFoundError:  # deleted meanwhile
        return False


def _read(name: str) -> bytes:
    storage = _storage()
    if isinstance(storage, DurableFiles):
        return storage.read(name)
    with storage.open(name) as file:
        return bytes(file.read())


def _label(name: str) -> str:
    return f"part {name}"


def _storage() -> Storage:
    return storages["uploads"]

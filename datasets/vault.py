"""Encrypted clip storage: put, get, destroy. What lies in it opens only with the contributor's key."""

import os
import secrets
from typing import IO

from django.core.files.base import ContentFile, File
from django.core.files.storage import FileSystemStorage, Storage, storages

from accounts import keys

from .models import Clip


class DurableFiles(FileSystemStorage):
    """Files that are whole and on disk when `save` returns, or not there at all."""

    def _save(self, name: str, content: File) -> str:
        target = self.path(name)
        os.makedirs(self.location, mode=0o700, exist_ok=True)  # nobody else lists even the names
        os.makedirs(os.path.dirname(target), exist_ok=True)
        draft = f"{target}.{secrets.token_hex(4)}.part"
        try:
            with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                _copy(content, file)
            os.rename(draft, target)
        except BaseException:
            if os.path.exists(draft):
                os.unlink(draft)
            raise
        _sync_folder(os.path.dirname(target))
        return name


def new_name() -> str:
    """A random name that nothing is stored under yet."""
    name = secrets.token_hex(16)
    return f"{name[:2]}/{name[2:4]}/{name}"


def put(name: str, key: bytes, wav: bytes) -> None:
    """Store a WAV, sealed under a clip's own key."""
    _storage().save(name, ContentFile(keys.seal(key, wav, name)))


def get(clip: Clip) -> bytes:
    """The clip's WAV. Raises accounts.keys.KeyLost, or FileNotFoundError when the file is gone."""
    with _storage().open(clip.stored_as) as file:
        sealed = file.read()
    return keys.unseal(clip.key, sealed, clip.stored_as)


def destroy(stored_as: str) -> None:
    """Remove the file; one that is gone already is no error."""
    _storage().delete(stored_as)


def _storage() -> Storage:
    return storages["vault"]


def _copy(content: File, file: IO[bytes]) -> None:
    for chunk in content.chunks():
        file.write(chunk)
    file.flush()
    os.fsync(file.fileno())


def _sync_folder(folder: str) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

"""Encrypted clip storage: put, get, destroy. Its files open only with keys wrapped by the contributor's key.

A file is the sealed WAV, followed by the sealed SHA-256 of the WAV, so that an archive need not hash all of
its clips for each download. Older files have no digest; both kinds are read.
"""

import hashlib
import json
import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.core.files.base import ContentFile, File
from django.core.files.storage import FileSystemStorage, Storage, storages
from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction

from accounts import keys, site
from accounts.ciphers import NONCE
from accounts.models import Site
from datasets import disks
from datasets.models import Clip

TAG = 16  # bytes that sealing adds at the end; at the beginning it adds a nonce
DIGEST = NONCE + hashlib.sha256().digest_size + TAG  # bytes of a sealed digest


# Names the site. It is not a clip, and the reconciler passes over it.
MARK = "site.json"


class NotDestroyed(Exception):
    """A file could not be removed; its erasure is not finished."""


class WrongSize(Exception):
    """A stored sound does not have the expected size."""


class DurableFiles(FileSystemStorage):
    """Files that are whole and on disk when `save` returns, or not there at all."""

    def save_all(self, files: Iterable[tuple[str, bytes]]) -> None:
        """Write many files; all are on disk when this returns. If it raises, some may exist.

        It waits for the disk once, not for every file. A file gets its name only when it is complete.
        """
        drafts: dict[str, str] = {}
        folders: set[str] = set()
        try:
            for name, content in files:
                target = f"{self.location}/{name}"
                drafts[target] = f"{target}.{secrets.token_hex(4)}.part"
                if (folder := os.path.dirname(target)) not in folders:
                    folders.add(folder)
                    self._make_folder(folder)
                _write_draft(drafts[target], content)
            if drafts:
                disks.sync_all(drafts.values())
            for target, draft in drafts.items():
                os.rename(draft, target)
        except BaseException:
            for draft in drafts.values():
                with suppress(FileNotFoundError):
                    os.unlink(draft)
            raise
        for folder in folders:
            disks.sync(folder)

    def _make_folder(self, folder: str) -> None:
        os.makedirs(self.location, mode=0o700, exist_ok=True)  # others cannot even list names
        os.makedirs(folder, exist_ok=True)

    def read(self, name: str) -> bytes:
        """The whole file, without the cost of Django's and Python's file objects."""
        handle = os.open(f"{self.location}/{name}", os.O_RDONLY)
        try:
            size = os.fstat(handle).st_size
            content = os.read(handle, size)
            while len(content) < size and (more := os.read(handle, size - len(content))):
                content += more
            return content
        finally:
            os.close(handle)

    def _save(self, name: str, content: File) -> str:
        self.save_all([(name, b"".join(content.chunks()))])
        return name


def new_name() -> str:
    """A random, unused name."""
    name = secrets.token_hex(16)
    return f"{name[:2]}/{name[2:4]}/{name}"


def new_names(number: int) -> list[str]:
    """This many names in one random folder, so that only one folder has to be synced."""
    folder = new_name().rpartition("/")[0]
    return [f"{folder}/{folder.replace('/', '')}{secrets.token_hex(14)}" for _ in range(number)]


def put_all(wavs: Iterable[tuple[str, bytes, bytes]]) -> None:
    """Store many WAVs, each as a name, its clip's key and the sound. If it raises, some may exist."""
    sealed = ((name, _sealed(name, key, wav)) for name, key, wav in wavs)
    storage = _storage()
    if isinstance(storage, DurableFiles):
        storage.save_all(sealed)
    else:
        for name, content in sealed:
            storage.save(name, ContentFile(content))


def put(name: str, key: bytes, wav: bytes) -> None:
    """Store one WAV, sealed under its clip's key."""
    put_all([(name, key, wav)])


def get(clip: Clip) -> bytes:
    """The clip's WAV. Raises accounts.keys.KeyLost, or FileNotFoundError when the file is gone."""
    return read(clip.stored_as, clip.key)


def read(stored_as: str, key: bytes) -> bytes:
    """As `get`, for callers that have the clip's key already."""
    stored = _read(stored_as)
    try:
        _digest(stored_as, key, stored)
    except keys.KeyLost:  # an older file without a digest; or another key, and unsealing fails below too
        return keys.unseal(key, stored, stored_as)
    return keys.unseal(key, stored[:-DIGEST], stored_as)


def read_into(buffer: memoryview, stored_as: str, key: bytes) -> bytes:
    """Write the WAV to `buffer`, which has its size. Returns its SHA-256, or b"" if none was stored.

    Raises WrongSize, and the exceptions of `get`.
    """
    stored = _read(stored_as)
    end = NONCE + len(buffer) + TAG
    if len(stored) not in (end, end + DIGEST):
        raise WrongSize(f"{stored_as} has {len(stored)} bytes, not {end} or {DIGEST} more")
    sealed = memoryview(stored)
    try:
        AESGCM(key).decrypt_into(sealed[:NONCE], sealed[NONCE:end], stored_as.encode(), buffer)
    except InvalidTag:
        raise keys.KeyLost(f"{stored_as} does not open with its key") from None
    return _digest(stored_as, key, stored) if len(stored) > end else b""


@contextmanager
def destroyed_unless_stored(names: list[str]) -> Iterator[None]:
    """Around a transaction that stores clips with these files: if it fails, the files go.

    `names` may be filled while it runs; either all of them are committed or none.
    """
    try:
        yield
    except BaseException as error:
        if names and not _may_be_stored(names[0], error):
            for name in names:
                destroy(name)
        raise


def destroy(stored_as: str) -> None:
    """Remove the file, if it exists. Raises NotDestroyed if it is still there afterwards."""
    storage = _storage()
    storage.delete(stored_as)
    if storage.exists(stored_as):
        raise NotDestroyed(f"{stored_as} is still in the vault")


@transaction.atomic
def establish() -> None:
    """Mark a new vault as this site's, or check the mark. Raises accounts.site.WrongSite.

    Without it a disk that is not mounted would look like a vault from which everything was erased.
    """
    uuid = site.establish()
    here = Site.objects.select_for_update().get()
    found = _read_mark()
    if found is None and not here.has_vault and _may_be_new():
        _storage().save(MARK, ContentFile(json.dumps({"site": str(uuid)}).encode()))
        found = str(uuid)
    if found is None:
        raise site.WrongSite(
            f"the clips of this site are not in {_place()}: mount the disk that has them, or set TAGGER_HOME"
        )
    if found != str(uuid):
        raise site.WrongSite(
            f"the vault {_place()} belongs to site {found}, the database to site {uuid}:"
            " mount this site's disk"
        )
    if not here.has_vault:
        here.has_vault = True
        here.save(update_fields=["has_vault"])


def mark_restored(uuid: str) -> None:
    """Mark the vault that a restore filled, unless it is marked. Raises accounts.site.WrongSite."""
    found = _read_mark()
    if found is None:
        _storage().delete(MARK)  # a torn one
        _storage().save(MARK, ContentFile(json.dumps({"site": uuid}).encode()))
    elif found != uuid:
        raise site.WrongSite(f"the vault {_place()} belongs to site {found}, the backup to site {uuid}")


def _read_mark() -> str | None:
    """None if there is none, or one that was torn while it was written."""
    try:
        return str(json.loads(_read(MARK))["site"])
    except (FileNotFoundError, NotADirectoryError, ValueError, KeyError, TypeError):
        return None


def _may_be_new() -> bool:
    """Whether an unmarked vault may be marked: a recent clip is in it or, without clips, it is empty."""
    newest = list(Clip.objects.order_by("-pk").values_list("stored_as", flat=True)[:100])
    if newest:
        return any(_storage().exists(name) for name in newest)
    try:
        return not any(_storage().listdir(""))
    except FileNotFoundError:
        return True


def _place() -> str:
    return str(getattr(_storage(), "location", "the vault"))


def _may_be_stored(stored_as: str, error: BaseException) -> bool:
    """Whether the row may exist after all: a commit whose connection was lost may have succeeded."""
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    connection.close()
    try:
        return Clip.objects.filter(stored_as=stored_as).exists()
    except DatabaseError:
        return True  # unknown for now; the reconciler finds files without a row


def _sealed(name: str, key: bytes, wav: bytes) -> bytes:
    return keys.seal(key, wav, name) + keys.seal(key, hashlib.sha256(wav).digest(), _label(name))


def _digest(name: str, key: bytes, stored: bytes) -> bytes:
    """Raises KeyLost if no digest follows the sound."""
    return keys.unseal(key, stored[-DIGEST:], _label(name))


def _label(name: str) -> str:
    return f"sha256 of {name}"


def _storage() -> Storage:
    return storages["vault"]


def _read(stored_as: str) -> bytes:
    storage = _storage()
    if isinstance(storage, DurableFiles):
        return storage.read(stored_as)
    with storage.open(stored_as) as file:
        return file.read()


def _write_draft(draft: str, content: bytes) -> None:
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        left = memoryview(content)
        while left:
            left = left[os.write(handle, left) :]
    finally:
        os.close(handle)

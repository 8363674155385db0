"""The folder of the keys, `settings.MASTER_KEYS`: outside the database and its backups. No database here.

    NNNN.key      master keys, the newest last; each wraps data keys, and hashes what is looked up
    signing.key   the key of the site's signature, which stays the same
    site.json     which site these keys belong to
    copy.sqlite3  the copy of the key table, see accounts.key_copy
    journal.jsonl what people ended here, see accounts.journal

Sites older than 2027 also have `names.key`, the key of their hashes, until their next key rotation.
"""

import hashlib
import hmac
import json
import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.conf import settings

from .ciphers import KEY, KeyLost, keyed_hash

SIGNING = "signing"
OLD_HASHES = "names"


def folder() -> Path:
    path: Path = settings.MASTER_KEYS
    return path


def read(name: str) -> bytes:
    """One key, 32 bytes. Raises KeyLost."""
    try:
        return path_of(name).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise KeyLost(f"key {name} is not in {folder()}") from None


def path_of(name: str) -> Path:
    return folder() / f"{name}.key"


def name_of(number: int) -> str:
    """
    >>> name_of(7)
    '0007'
    """
    return f"{number:04}"


def masters() -> list[str]:
    """The names of all master keys that exist, oldest first."""
    return sorted((path.stem for path in folder().glob("[0-9]*.key")), key=int)


def exists(name: str) -> bool:
    return path_of(name).exists()


def make(name: str) -> None:
    """Make a random key under this name, unless it exists. It is on disk when this returns.

    Only for a key that nothing depends on yet: a key that is missing is not made again.
    """
    folder().mkdir(mode=0o700, parents=True, exist_ok=True)
    # Written to a draft and linked into place: two processes that start together agree on one whole key.
    draft = _draft(secrets.token_bytes(KEY))
    try:
        with suppress(FileExistsError):  # another process was first, and its key is used
            os.link(draft, path_of(name))
    finally:
        draft.unlink()
    sync(folder())


def destroy(name: str) -> None:
    """Overwrite and delete a key: what only it wrapped can never be read again. May run again."""
    with suppress(FileNotFoundError):
        with open(path_of(name), "r+b") as file:
            file.write(bytes(KEY))
            file.flush()
            os.fsync(file.fileno())
        path_of(name).unlink()
    sync(folder())


def hash_under(name: str, text: str) -> str:
    """A keyed hash of exactly this text, in hex. `name` is a master key, or `OLD_HASHES`. Raises KeyLost."""
    key = read(name)
    if name == OLD_HASHES:
        return hmac.new(key, text.encode(errors="replace"), hashlib.sha256).hexdigest()
    return keyed_hash(key, "look-up", text)


def hashing_keys() -> list[str]:
    """The names of all keys under which a hash in the database may have been made, the newest first."""
    old = [OLD_HASHES] if exists(OLD_HASHES) else []
    return [*reversed(masters()), *old]


def hashes(text: str) -> list[str]:
    """The hashes under which this text may be stored: during a key rotation there are two."""
    return [hash_under(name, text) for name in hashing_keys()]


def read_mark() -> dict[str, Any] | None:
    """Which site the keys belong to: {"site": its id, "complete": whether its database knows it}.

    None if the folder has no mark, or one that was torn while the first start was killed.
    """
    try:
        mark = json.loads((folder() / "site.json").read_text())
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    return mark if isinstance(mark, dict) and "site" in mark else None


def write_mark(site: str, *, complete: bool, restoring: str = "") -> None:
    """`restoring` is the name of the dump of a restore that has begun."""
    folder().mkdir(mode=0o700, parents=True, exist_ok=True)
    mark = {"site": site, "complete": complete} | ({"restoring": restoring} if restoring else {})
    draft = _draft(json.dumps(mark).encode())
    draft.replace(folder() / "site.json")
    sync(folder())


def sync(path: Path) -> None:
    """Wait until the file, or the names in the folder, are on disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _draft(content: bytes) -> Path:
    path = folder() / f".{secrets.token_hex(8)}"
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return path

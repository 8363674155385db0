"""Encryption, keyed hashes, and the folder of the master keys. No database here, only bytes and files.

Everything is sealed with AES-256-GCM (NIST SP 800-38D): a 12-byte random nonce, the ciphertext, a 16-byte
tag. The folder `settings.MASTER_KEYS` is outside the database and its backups. It has

    NNNN.key    master keys, the newest last; each wraps data keys
    names.key   the key for hashing pseudonyms, so that a log-in finds its row
"""

import hashlib
import hmac
import os
import secrets
import unicodedata
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

NONCE = 12
KEY = 32


class KeyLost(Exception):
    """The key for this is gone: it was erased, or the master keys were lost."""


def seal(key: bytes, plain: bytes, name: str) -> bytes:
    """Encrypt under `key`. `name` is authenticated too, so one ciphertext cannot be swapped for another."""
    nonce = secrets.token_bytes(NONCE)
    return nonce + AESGCM(key).encrypt(nonce, plain, name.encode())


def unseal(key: bytes, sealed: bytes, name: str) -> bytes:
    """Decrypt. Raises KeyLost if `sealed` was made under another key or another name."""
    try:
        return AESGCM(key).decrypt(sealed[:NONCE], sealed[NONCE:], name.encode())
    except (InvalidTag, ValueError):  # ValueError: too short to be a sealed value
        raise KeyLost(f"{name} does not open with its key") from None


def pseudonym_hash(pseudonym: str) -> str:
    """What the database stores instead of a pseudonym. Spellings that look alike to people hash alike."""
    return keyed_hash(unicodedata.normalize("NFKC", pseudonym).casefold())


def keyed_hash(text: str) -> str:
    """A keyed hash of exactly this text, in hex."""
    return hmac.new(_read_or_make("names"), text.encode(errors="replace"), hashlib.sha256).hexdigest()


def current_master() -> str:
    """The name of the newest master key. Makes the first one if there is none."""
    names = masters()
    return names[-1] if names else make("0001")


def master(name: str) -> bytes:
    """One master key, 32 bytes. Raises KeyLost."""
    return _read(settings.MASTER_KEYS / f"{name}.key")


def masters() -> list[str]:
    """The names of all existing master keys, oldest first."""
    return sorted(path.stem for path in settings.MASTER_KEYS.glob("[0-9]*.key"))


def make_next_master() -> str:
    """Make another master key, which is the newest from now on; returns its name."""
    return make(f"{int(current_master()) + 1:04}")


def made_at(name: str) -> datetime:
    return datetime.fromtimestamp((settings.MASTER_KEYS / f"{name}.key").stat().st_mtime, UTC)


def destroy(name: str) -> None:
    """Overwrite and delete a master key: what only it wrapped can never be read again."""
    path: Path = settings.MASTER_KEYS / f"{name}.key"
    with open(path, "r+b") as file:
        file.write(bytes(KEY))
        file.flush()
        os.fsync(file.fileno())
    path.unlink()


def make(name: str) -> str:
    """Make a random key under this name, unless it exists already. Returns the name."""
    folder: Path = settings.MASTER_KEYS
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Written to a draft and linked into place: two processes that start together agree on one whole key.
    draft = folder / f".{secrets.token_hex(8)}"
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(secrets.token_bytes(KEY))
        file.flush()
        os.fsync(file.fileno())
    try:
        with suppress(FileExistsError):  # another process was first, and its key is used
            os.link(draft, folder / f"{name}.key")
    finally:
        draft.unlink()
    return name


def _read_or_make(name: str) -> bytes:
    path = settings.MASTER_KEYS / f"{name}.key"
    if not path.exists():
        make(name)
    return _read(path)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise KeyLost(f"key {path.stem} is not in {path.parent}") from None

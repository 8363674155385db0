"""What is sealed and under what: no database here, only bytes and the folder of the master keys.

AES-256-GCM throughout (NIST SP 800-38D): a 12-byte random nonce, the ciphertext, a 16-byte tag. The folder
`settings.MASTER_KEYS` lies outside the database and its backups; it holds

    NNNN.key    master keys, the newest last; each wraps data keys
    names.key   under which pseudonyms are hashed, so that a log-in finds its row
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
    """The key that this needs is gone: by erasure, or because the master keys were not kept."""


def seal(key: bytes, plain: bytes, name: str) -> bytes:
    """Encrypt under `key`; `name` is bound in, so that one ciphertext cannot stand in for another."""
    nonce = secrets.token_bytes(NONCE)
    return nonce + AESGCM(key).encrypt(nonce, plain, name.encode())


def unseal(key: bytes, sealed: bytes, name: str) -> bytes:
    """Raises KeyLost when `sealed` was made under another key or another name."""
    try:
        return AESGCM(key).decrypt(sealed[:NONCE], sealed[NONCE:], name.encode())
    except (InvalidTag, ValueError):  # the latter: too short to have been sealed at all
        raise KeyLost(f"{name} does not open with its key") from None


def hashed_name(pseudonym: str) -> str:
    """What stands in the database for a pseudonym: the same for every spelling that looks alike to people."""
    return hashed(unicodedata.normalize("NFKC", pseudonym).casefold())


def hashed(text: str) -> str:
    """A keyed hash of exactly this text, in hex."""
    return hmac.new(_kept("names"), text.encode(errors="replace"), hashlib.sha256).hexdigest()


def current_master() -> str:
    """The newest master key's name; the first one is made when there is none."""
    names = masters()
    return names[-1] if names else make("0001")


def master(name: str) -> bytes:
    """One master key, 32 bytes. Raises KeyLost."""
    return _read(settings.MASTER_KEYS / f"{name}.key")


def masters() -> list[str]:
    """The names of all master keys that are there, oldest first."""
    return sorted(path.stem for path in settings.MASTER_KEYS.glob("[0-9]*.key"))


def make_next_master() -> str:
    """One more master key, the newest from now on; its name."""
    return make(f"{int(current_master()) + 1:04}")


def made_at(name: str) -> datetime:
    return datetime.fromtimestamp((settings.MASTER_KEYS / f"{name}.key").stat().st_mtime, UTC)


def destroy(name: str) -> None:
    """Overwrite a master key and remove it: whatever was wrapped by it alone can never be read again."""
    path: Path = settings.MASTER_KEYS / f"{name}.key"
    with open(path, "r+b") as file:
        file.write(bytes(KEY))
        file.flush()
        os.fsync(file.fileno())
    path.unlink()


def make(name: str) -> str:
    """A new random key under this name; where there is one already, that stays. Gives back the name."""
    folder: Path = settings.MASTER_KEYS
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Written aside and linked into place: two first starts at once agree on one key, never half of it.
    draft = folder / f".{secrets.token_hex(8)}"
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(secrets.token_bytes(KEY))
        file.flush()
        os.fsync(file.fileno())
    try:
        with suppress(FileExistsError):  # somebody else was first, and theirs is the key
            os.link(draft, folder / f"{name}.key")
    finally:
        draft.unlink()
    return name


def _kept(name: str) -> bytes:
    path = settings.MASTER_KEYS / f"{name}.key"
    if not path.exists():
        make(name)
    return _read(path)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise KeyLost(f"key {path.stem} is not in {path.parent}") from None

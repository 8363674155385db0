"""A data key for each contributor, wrapped by a master key that lives outside the database.

AES-256-GCM throughout (NIST SP 800-38D): a 12-byte random nonce, the ciphertext, a 16-byte tag.
"""

import os
import secrets
from functools import lru_cache
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.db import IntegrityError, transaction

from .models import DataKey, User

NONCE = 12


class KeyLost(Exception):
    """The key that this needs is gone: by erasure, or because the master keys were not kept."""


def data_key(contributor: User) -> bytes:
    """The contributor's 32-byte key, made when first asked for."""
    row = DataKey.objects.filter(contributor=contributor).first() or _create(contributor)
    return _unwrap(row)


def existing_key(contributor_id: int) -> bytes:
    """The contributor's 32-byte key; KeyLost when there is none (it is never made here)."""
    row = DataKey.objects.filter(contributor_id=contributor_id).first()
    if row is None:
        raise KeyLost("this contributor has no key any more")
    return _unwrap(row)


def seal(key: bytes, plain: bytes, name: str) -> bytes:
    """Encrypt under `key`; `name` is bound in, so that one ciphertext cannot stand in for another."""
    nonce = secrets.token_bytes(NONCE)
    return nonce + AESGCM(key).encrypt(nonce, plain, name.encode())


def unseal(key: bytes, sealed: bytes, name: str) -> bytes:
    try:
        return AESGCM(key).decrypt(sealed[:NONCE], sealed[NONCE:], name.encode())
    except InvalidTag:
        raise KeyLost(f"{name} does not open with its key") from None


def _create(contributor: User) -> DataKey:
    master = _current_master()
    wrapped = seal(_master(master), secrets.token_bytes(32), f"data key of {contributor.pk}")
    try:
        with transaction.atomic():
            return DataKey.objects.create(contributor=contributor, wrapped=wrapped, master=master)
    except IntegrityError:  # another process was first; its key is the one
        return DataKey.objects.get(contributor=contributor)


def _unwrap(row: DataKey) -> bytes:
    return unseal(_master(row.master), bytes(row.wrapped), f"data key of {row.contributor_id}")


def _current_master() -> str:
    """The newest master key's name; the first one is made when there is none."""
    folder: Path = settings.MASTER_KEYS
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    names = sorted(path.stem for path in folder.glob("*.key"))
    if names:
        return names[-1]
    # Written aside and linked into place: two first starts at once agree on one key, never half of it.
    draft = folder / f".{secrets.token_hex(8)}"
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(secrets.token_bytes(32))
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, folder / "0001.key")
    except FileExistsError:
        return "0001"
    finally:
        draft.unlink()
    return "0001"


def _master(name: str) -> bytes:
    return _read_master(settings.MASTER_KEYS / f"{name}.key")


@lru_cache(maxsize=8)
def _read_master(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise KeyLost(f"master key {path.stem} is not in {path.parent}") from None

"""The key of an import, and what is sealed under it: names, rows of tables, reasons, bytes that wait.

It is wrapped by its owner's data key. So it is rotated with that key, and ends with it when they leave.
"""

import json
import secrets
from typing import Any

from accounts import ciphers, consent, keys
from accounts.ciphers import KEY, KeyLost
from accounts.models import User
from datasets.models import Import, ImportFile

from .refusals import BringingRefusal, ImportRefused


def make_key(run: Import, owner: User) -> bytes:
    """A new key for an import that has its number. Raises ImportRefused if the owner has left meanwhile."""
    consent.lock(owner)  # or the data key might be replaced meanwhile
    if not User.objects.filter(pk=owner.pk, is_active=True).exists():
        raise ImportRefused(BringingRefusal.NOT_READABLE)
    key = secrets.token_bytes(KEY)
    run.wrapped_key = keys.seal(keys.existing_key(owner), key, _key_label(run.pk))
    return key


def key_of(run: Import) -> bytes:
    """Raises ImportRefused if its owner left, or the key cannot be read any more."""
    try:
        if run.owner is None:
            raise KeyLost("the owner of this import left")
        return keys.unseal(keys.existing_key(run.owner), bytes(run.wrapped_key), _key_label(run.pk))
    except KeyLost as error:
        raise ImportRefused(BringingRefusal.NOT_READABLE) from error


def reseal(owner: User, old: bytes, new: bytes) -> None:
    """Wrap the keys of this person's imports by their new data key."""
    for run in owner.imports.exclude(wrapped_key=b"").select_for_update().order_by("pk"):
        try:
            key = keys.unseal(old, bytes(run.wrapped_key), _key_label(run.pk))
        except KeyLost:  # of a backup from before the data key was replaced
            continue
        run.wrapped_key = keys.seal(new, key, _key_label(run.pk))
        run.save(update_fields=["wrapped_key"])


def mark(key: bytes, *parts: object) -> str:
    """By which a file is known: no one without the key can tell of which name or content it is."""
    return ciphers.keyed_hash(key, "file", "\0".join(map(str, parts)))


def sealed_about(key: bytes, run: Import, about: dict[str, Any]) -> bytes:
    return _sealed(key, about, f"about import {run.pk}")


def about(key: bytes, run: Import) -> dict[str, Any]:
    return _opened(key, bytes(run.sealed_about), f"about import {run.pk}")


def sealed_file(key: bytes, run: int, mark: str, about: dict[str, Any]) -> bytes:
    return _sealed(key, about, f"file {mark} of import {run}")


def about_file(key: bytes, file: ImportFile) -> dict[str, Any]:
    return _opened(key, bytes(file.sealed_about), f"file {file.mark} of import {file.run_id}")


def _sealed(key: bytes, value: dict[str, Any], label: str) -> bytes:
    return ciphers.seal(key, json.dumps(value).encode(), label)


def _opened(key: bytes, sealed: bytes, label: str) -> dict[str, Any]:
    return dict(json.loads(ciphers.unseal(key, sealed, label)))


def _key_label(run: int) -> str:
    return f"key of import {run}"

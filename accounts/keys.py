"""Data keys: one for each person, wrapped by a master key that is outside the database."""

import secrets

from django.db import IntegrityError, transaction

from . import keyring
from .ciphers import KEY, KeyLost, seal, unseal
from .models import DataKey, User

__all__ = ["KeyCache", "KeyLost", "data_key", "existing_key", "replace", "seal", "unseal"]


class KeyCache:
    """Data keys of many people, each opened once. Use it for one batch only, because keys change and end."""

    def __init__(self) -> None:
        self._masters: dict[str, bytes] = {}
        self._keys: dict[int, bytes] = {}

    def data_key(self, person: int, wrapped: bytes | memoryview | None, master: str | None) -> bytes:
        """A person's key, from the columns of its row. Raises KeyLost if there is no row."""
        if person not in self._keys:
            if wrapped is None or master is None:
                raise KeyLost("this person has no key any more")
            if master not in self._masters:
                self._masters[master] = keyring.read(master)
            self._keys[person] = unseal(self._masters[master], bytes(wrapped), DataKey.label(person))
        return self._keys[person]


def data_key(person: User) -> bytes:
    """The person's 32-byte key, created if there is none."""
    row = DataKey.objects.filter(person=person).first() or _create(person)
    return row.open()


def existing_key(person: User) -> bytes:
    """The person's 32-byte key. Raises KeyLost if there is none; never creates one."""
    try:
        return person.data_key.open()
    except DataKey.DoesNotExist:
        raise KeyLost("this person has no key any more") from None


def replace(person: User) -> bytes:
    """Replace the person's data key and re-seal their name under it; returns the new key.

    The caller must re-seal everything else that was under the old key, in the same transaction.
    """
    master = DataKey.objects.lock_master()
    pseudonym, address = person.pseudonym, person.address
    row = person.data_key
    row.wrap(secrets.token_bytes(KEY), master)
    row.generation += 1
    row.save()
    person.seal_name(pseudonym, address)
    return row.open()


def _create(person: User) -> DataKey:
    try:
        with transaction.atomic():
            return DataKey.objects.create_for(person)
    except IntegrityError:  # another process was first; its key is the one
        return DataKey.objects.get(person=person)

"""A data key for each person, wrapped by a master key that lives outside the database."""

import secrets

from django.db import IntegrityError, transaction

from .ciphers import KEY, KeyLost, seal, unseal
from .models import DataKey, User

__all__ = ["KeyLost", "data_key", "existing_key", "renew", "seal", "unseal"]


def data_key(person: User) -> bytes:
    """The person's 32-byte key, made when first asked for."""
    row = DataKey.objects.filter(person=person).first() or _create(person)
    return row.open()


def existing_key(person: User) -> bytes:
    """The person's 32-byte key; KeyLost when there is none (it is never made here)."""
    try:
        return person.data_key.open()
    except DataKey.DoesNotExist:
        raise KeyLost("this person has no key any more") from None


def renew(person: User) -> bytes:
    """Replace the person's data key, and seal their name anew under it; the new key.

    The caller seals everything else that lay under the old one, in the same transaction.
    """
    DataKey.objects.hold_master()
    pseudonym, address = person.pseudonym, person.address
    row = person.data_key
    row.wrap(secrets.token_bytes(KEY))
    row.generation += 1
    row.save()
    person.name_as(pseudonym, address)
    return row.open()


def _create(person: User) -> DataKey:
    try:
        with transaction.atomic():
            return DataKey.objects.create_for(person)
    except IntegrityError:  # another process was first; its key is the one
        return DataKey.objects.get(person=person)

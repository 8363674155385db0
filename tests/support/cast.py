"""People as the site's own acts store them, in a few statements for all: thousands of tests begin with some.

tests/accounts/test_cast.py compares both.
"""

import secrets

from django.db import transaction

from accounts import ciphers, consent, keyring, names
from accounts.models import Consent, DataKey, Material, Purpose, User


@transaction.atomic
def create(*pseudonyms, **fields):
    """As `User.objects.create_user` for each."""
    master = DataKey.objects.lock_master()
    people = [
        User(username=keyring.hash_under(master, names.looked_up(each)), **fields) for each in pseudonyms
    ]
    for person in people:
        person.set_password(None)
    User.objects.bulk_create(people)
    for person, pseudonym in zip(people, pseudonyms, strict=True):
        key = secrets.token_bytes(ciphers.KEY)
        DataKey(person=person).wrap(key, master)
        person.sealed_name = ciphers.seal(key, pseudonym.encode(), person._label("name"))
    DataKey.objects.bulk_create([person.data_key for person in people])
    User.objects.bulk_update(people, ["sealed_name"])
    return people


@transaction.atomic
def agree(person, at, reference):
    """As `consent.give` on paper, for every material: volunteers may hear it, and researchers have it."""
    hashed = consent._reference_hash(person, reference)
    given = [
        Consent(
            contributor=person,
            material=material,
            purpose=purpose,
            at=at,
            reference_hash=hashed,
            sealed_reference=consent._sealed_reference(person, reference),
        )
        for material in Material
        for purpose in (Purpose.VOLUNTEERS, Purpose.RESEARCHERS)
    ]
    return Consent.objects.bulk_create(given)

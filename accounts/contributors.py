"""People whose clips were imported. They cannot log in here, and gave their consent elsewhere."""

import unicodedata
from collections.abc import Iterator

from django.db import IntegrityError

from . import consent, keyring, names
from .keys import KeyLost
from .models import Role, User


def find_or_create(collection: str, speaker: str = "") -> User:
    """The contributor for one speaker of an imported collection, created if needed.

    Found by exactly these two texts, in any Unicode form: A1 and a1 are two people. No one can sign up as
    either.
    """
    existing = find_all(collection, speaker)
    if existing:
        return next(filter(consent.has_withdrawn, existing), existing[0])
    collection, speaker = _one_form(collection), _one_form(speaker)
    text, name = names.imported(collection, speaker), _prefix(collection) + (f":{speaker}" if speaker else "")
    try:
        return User.objects.create_found_by(text, name, is_active=False, roles=[Role.CONTRIBUTOR])
    except IntegrityError:  # another import was first
        return User.objects.found_by(text).get()


def find(collection: str, speaker: str) -> User | None:
    return next(iter(find_all(collection, speaker)), None)


def find_all(collection: str, speaker: str) -> list[User]:
    """The contributor, and those that older versions of this site made for other forms of the name."""
    forms = {(c, s) for c in _forms(collection) for s in _forms(speaker)}
    first = (_one_form(collection), _one_form(speaker))
    ordered = [first, *sorted(forms - {first})]
    return [user for pair in ordered for user in User.objects.found_by(names.imported(*pair))]


def in_collection(collection: str) -> Iterator[tuple[str, User]]:
    """The speakers of a collection, each with their person.

    Names are sealed, so it opens the name of everyone who cannot log in.
    """
    keys, forms = keyring.hashing_keys(), _forms(collection)
    sealed = User.objects.filter(is_active=False).exclude(sealed_name=b"").select_related("data_key")
    for person in sealed.order_by("pk").iterator(chunk_size=1_000):
        try:
            name = person.pseudonym
        except (KeyLost, User.data_key.RelatedObjectDoesNotExist):  # just being erased
            continue
        for form in forms:
            speaker = name.removeprefix(_prefix(form)).removeprefix(":")
            # The prefix alone does not tell, because a collection may have a colon in its name.
            text = names.imported(form, speaker)
            if any(person.username == keyring.hash_under(key, text) for key in keys):
                yield speaker, person


def _one_form(text: str) -> str:
    return unicodedata.normalize("NFC", text.strip())


def _forms(text: str) -> set[str]:
    """The text in its one form, as it is, and decomposed, as files of a Mac are named."""
    return {_one_form(text), text, unicodedata.normalize("NFD", text)}


def _prefix(collection: str) -> str:
    return f"import:{collection}"

"""People whose clips were imported. They cannot log in here, and gave their consent elsewhere."""

from collections.abc import Iterator

from django.db import IntegrityError

from . import keyring, names
from .keys import KeyLost
from .models import Role, User


def find_or_create(collection: str, speaker: str = "") -> User:
    """The contributor for one speaker of an imported collection, created if needed.

    Found by exactly these two texts: A1 and a1 are two people. No one can sign up as either.
    """
    existing = find(collection, speaker)
    if existing:
        return existing
    text, name = names.imported(collection, speaker), _prefix(collection) + (f":{speaker}" if speaker else "")
    try:
        return User.objects.create_found_by(text, name, is_active=False, roles=[Role.CONTRIBUTOR])
    except IntegrityError:  # another import was first
        return User.objects.found_by(text).get()


def find(collection: str, speaker: str) -> User | None:
    return User.objects.found_by(names.imported(collection, speaker)).first()


def in_collection(collection: str) -> Iterator[tuple[str, User]]:
    """The speakers of a collection, each with their person.

    Names are sealed, so it opens the name of everyone who cannot log in.
    """
    keys = keyring.hashing_keys()
    sealed = User.objects.filter(is_active=False).exclude(sealed_name=b"").select_related("data_key")
    for person in sealed.order_by("pk").iterator(chunk_size=1_000):
        try:
            speaker = person.pseudonym.removeprefix(_prefix(collection)).removeprefix(":")
        except (KeyLost, User.data_key.RelatedObjectDoesNotExist):  # just being erased
            continue
        # The prefix alone does not tell, because a collection may have a colon in its name.
        text = names.imported(collection, speaker)
        if any(person.username == keyring.hash_under(key, text) for key in keys):
            yield speaker, person


def _prefix(collection: str) -> str:
    return f"import:{collection}"

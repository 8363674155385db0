"""People whose clips were imported. They cannot log in here, and gave their consent elsewhere."""

from collections.abc import Iterator

from django.db import IntegrityError

from .ciphers import keyed_hash
from .keys import KeyLost
from .models import Role, User


def find_or_create(collection: str, speaker: str = "") -> User:
    """The contributor for one speaker of an imported collection, created if needed.

    Found by exactly these two texts: A1 and a1 are two people. No one can sign up as either.
    """
    existing = find(collection, speaker)
    if existing:
        return existing
    hashed, name = _hash(collection, speaker), _prefix(collection) + (f":{speaker}" if speaker else "")
    try:
        return User.objects.create_with_hash(hashed, name, is_active=False, roles=[Role.CONTRIBUTOR])
    except IntegrityError:  # another import was first
        return User.objects.get(username=hashed)


def find(collection: str, speaker: str) -> User | None:
    return User.objects.filter(username=_hash(collection, speaker)).first()


def in_collection(collection: str) -> Iterator[tuple[str, User]]:
    """The speakers of a collection, each with their person.

    Names are sealed, so it opens the name of everyone who cannot log in.
    """
    sealed = User.objects.filter(is_active=False).exclude(sealed_name=b"").select_related("data_key")
    for person in sealed.order_by("pk").iterator(chunk_size=1_000):
        try:
            speaker = person.pseudonym.removeprefix(_prefix(collection)).removeprefix(":")
        except (KeyLost, User.data_key.RelatedObjectDoesNotExist):  # just being erased
            continue
        # The prefix alone does not tell, because a collection may have a colon in its name.
        if person.username == _hash(collection, speaker):
            yield speaker, person


def _hash(collection: str, speaker: str) -> str:
    return keyed_hash(f"import\0{collection}\0{speaker}")


def _prefix(collection: str) -> str:
    return f"import:{collection}"

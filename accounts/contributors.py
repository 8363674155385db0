"""People whose clips were imported: they have no log-in here, only a consent that was given elsewhere."""

from collections.abc import Iterator

from django.db import IntegrityError

from .ciphers import hashed
from .keys import KeyLost
from .models import Role, User


def imported(collection: str, speaker: str = "") -> User:
    """The contributor for one speaker of an imported collection, made when first asked for.

    Found by exactly these two texts: A1 and a1 are two people, and nobody can sign up as either.
    """
    found = find(collection, speaker)
    if found:
        return found
    found_by, name = _found_by(collection, speaker), _prefix(collection) + (f":{speaker}" if speaker else "")
    try:
        return User.objects.create_found_by(found_by, name, is_active=False, roles=[Role.CONTRIBUTOR])
    except IntegrityError:  # another import was first
        return User.objects.get(username=found_by)


def find(collection: str, speaker: str) -> User | None:
    return User.objects.filter(username=_found_by(collection, speaker)).first()


def of_collection(collection: str) -> Iterator[tuple[str, User]]:
    """Each speaker and who that is. Names are sealed, so everybody without a log-in is looked at."""
    sealed = User.objects.filter(is_active=False).exclude(sealed_name=b"").select_related("data_key")
    for person in sealed.order_by("pk").iterator(chunk_size=1_000):
        try:
            speaker = person.pseudonym.removeprefix(_prefix(collection)).removeprefix(":")
        except (KeyLost, User.data_key.RelatedObjectDoesNotExist):  # whoever is erased at this moment
            continue
        # The hash alone decides: a collection may have a colon in its name.
        if person.username == _found_by(collection, speaker):
            yield speaker, person


def _found_by(collection: str, speaker: str) -> str:
    return hashed(f"import\0{collection}\0{speaker}")


def _prefix(collection: str) -> str:
    return f"import:{collection}"

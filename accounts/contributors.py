"""People whose clips were imported: they have no log-in here, only a consent that was given elsewhere."""

from django.db import IntegrityError

from .ciphers import hashed
from .models import Role, User


def imported(collection: str, speaker: str = "") -> User:
    """The contributor for one speaker of an imported collection, made when first asked for.

    Found by exactly these two texts: A1 and a1 are two people, and nobody can sign up as either.
    """
    found_by = hashed(f"import\0{collection}\0{speaker}")
    name = f"import:{collection}" + (f":{speaker}" if speaker else "")
    found = User.objects.filter(username=found_by).first()
    if found:
        return found
    try:
        return User.objects.create_found_by(found_by, name, is_active=False, roles=[Role.CONTRIBUTOR])
    except IntegrityError:  # another import was first
        return User.objects.get(username=found_by)

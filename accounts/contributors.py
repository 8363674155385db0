"""People whose clips were imported: they have no log-in here, only a consent that was given elsewhere."""

from django.contrib.auth.hashers import make_password
from django.utils.crypto import salted_hmac

from .models import Role, User


def imported(collection: str, speaker: str = "") -> User:
    """The contributor for one speaker of an imported collection, made when first asked for.

    The colon keeps these apart from every name that a person can sign up with. A speaker's name
    is kept only as a keyed hash: enough to find the same person again, not enough to read it.
    """
    name = f"import:{collection}"
    if speaker:
        name += (
            ":"
            + salted_hmac(
                "accounts.contributors", f"{collection}\0{speaker}", algorithm="sha256"
            ).hexdigest()[:24]
        )
    hidden = {"is_active": False, "roles": [Role.CONTRIBUTOR], "password": make_password(None)}
    person, _made = User.objects.get_or_create(username=name, defaults=hidden)
    return person

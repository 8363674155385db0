"""The listener's pledge: what you hear stays here. Neither pages nor the API give a clip before it."""

from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.models import User

# The version of the promises, a whole number. When their meaning changes, raise it: everyone is asked again.
VERSION = "1"
PROMISES = (
    _("I do not repeat, copy or record what I hear."),
    _("I do not try to find out who is speaking."),
    _("I report what was not meant for me."),
)


def make(person: User) -> None:
    person.pledge = VERSION
    # Not save(): a person whose account is erased in the meantime must stay erased.
    User.objects.filter(pk=person.pk, is_active=True).update(pledge=VERSION)


def is_made(person: User) -> bool:
    """Whether this person made the pledge in its current version."""
    return person.pledge == VERSION


def address(next_page: str) -> str:
    """The page where the pledge is made; from there it goes on to `next_page`."""
    return f"{reverse('first_minute')}?{urlencode({'next': next_page})}"

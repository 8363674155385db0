"""The listener's pledge: what you hear stays here. The pages give no clip to tag before it is made."""

from urllib.parse import urlencode

from django.urls import reverse

from accounts.models import User

# The version of the text in `_pledge.html`. When its meaning changes, raise it: everyone is asked again.
VERSION = "1"


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

"""The listener's pledge: what you hear stays here. On pages nobody is given a clip to tag before it."""

from urllib.parse import urlencode

from django.urls import reverse

from accounts.models import User

# Of the words in `_pledge.html`. A change of meaning needs a new version: everyone is asked again.
VERSION = "1"


def make(person: User) -> None:
    person.pledge = VERSION
    # By a statement of its own: who is being forgotten meanwhile stays forgotten.
    User.objects.filter(pk=person.pk, is_active=True).update(pledge=VERSION)


def is_made(person: User) -> bool:
    """Whether they made it in the words of today."""
    return person.pledge == VERSION


def page(onward: str) -> str:
    """The address where it is made, and which leads on to this one of ours."""
    return f"{reverse('first_minute')}?{urlencode({'next': onward})}"

"""Where somebody stands with a release: whether they may download it, and if not, what is missing."""

from enum import StrEnum

from django.contrib.auth.models import AnonymousUser

from accounts.models import Purpose, Role, User
from datasets.models import AccessRequest, Release

from . import terms

State = AccessRequest.State


class Standing(StrEnum):
    OPEN = "open"  # the release is for everyone
    GRANTED = "granted"
    LOGGED_OUT = "logged-out"
    NOT_ASKED = "not-asked"
    WAITING = "waiting"
    REFUSED = "refused"
    ENDED = "ended"
    WITHDRAWN = "withdrawn"
    ROLE_LOST = "role-lost"
    OLD_TERMS = "old-terms"
    FACTOR_MISSING = "second-factor-missing"


MAY_DOWNLOAD = frozenset({Standing.OPEN, Standing.GRANTED})
# Where asking, or asking again, changes something.
MAY_ASK = frozenset(set(Standing) - MAY_DOWNLOAD - {Standing.LOGGED_OUT, Standing.FACTOR_MISSING})


def request_of(person: User | AnonymousUser, release: Release) -> AccessRequest | None:
    if not isinstance(person, User):
        return None
    return AccessRequest.objects.filter(person=person, release=release).first()


def of(person: User | AnonymousUser, release: Release, asked: AccessRequest | None) -> Standing:
    """`asked` is their request of this release, if there is one."""
    if release.audience == Purpose.PUBLIC:
        return Standing.OPEN
    if not isinstance(person, User):
        return Standing.LOGGED_OUT
    if asked is None:
        return Standing.NOT_ASKED
    if asked.state != State.GRANTED:
        return Standing(asked.state)
    if asked.is_by_role and not person.was_given(Role.RESEARCHER):
        return Standing.ROLE_LOST
    if asked.terms != terms.VERSION:
        return Standing.OLD_TERMS
    return Standing.FACTOR_MISSING if person.lacks_any_factor else Standing.GRANTED

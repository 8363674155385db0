"""Somebody asks for a release and accepts its terms, and withdraws from them.

With `deciding`, the only writer of AccessRequest. What ends an access is written to the opt-out journal.
"""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import get_language

from accounts import audit, consent, journal
from accounts.models import Purpose, Role, User
from datasets.models import AccessRequest, Release

from . import letters, recall_notices, sealing, terms
from .refusals import AccessRefusal, AccessRefused
from .sealing import About

ENDED = "access-ended"  # in the opt-out journal

State = AccessRequest.State
# A steward said no. Whoever asks again waits for a steward, whatever the release says.
_NO = frozenset({State.REFUSED, State.ENDED})


def ask(person: User, release: Release, about: About, version: str, now: datetime) -> AccessRequest:
    """Accept this version of the terms, and ask; it may be granted at once. Raises AccessRefused.

    A request that waits or is granted stays what it is, with what was said now.
    """
    _check(person, release, version)
    is_trusted = person.has_role(Role.RESEARCHER)
    with transaction.atomic():
        person = _locked(person)
        before = person.access_requests.select_for_update().filter(release=release).first()
        asked = _goes_on(before) if before else None
        if asked is None:
            asked = AccessRequest(
                person=person,
                release=release,
                asked_at=now,
                must_wait=before is not None and (before.must_wait or before.state in _NO),
            )
            if before:
                before.delete()
        if asked.state != State.GRANTED:
            _begin(asked, is_trusted, now)
        asked.person, asked.terms, asked.accepted_at = person, version, now
        asked.language = get_language() or settings.LANGUAGE_CODE
        sealing.seal(asked, about)
        asked.save()
        record(asked, audit.Act.ASKED_ACCESS, person, now, terms=version)
    return asked


@transaction.atomic
def withdraw(asked: AccessRequest, now: datetime) -> None:
    """By whoever asked, from the terms. What they may download ends at once; no error if it has ended."""
    journal.append(ENDED, now, request=str(asked.pk), state=State.WITHDRAWN.value)
    was_granted = asked.state == State.GRANTED
    if end_again({"request": str(asked.pk), "state": State.WITHDRAWN.value}):
        asked.state = State.WITHDRAWN
        if was_granted:
            letters.owe_decision(asked, now)
        record(asked, audit.Act.ASKED_ACCESS, asked.person, now)


def end_again(entry: journal.Entry) -> int:
    """End a request as the journal says; also in a database that a backup brought back."""
    live = AccessRequest.objects.filter(pk=entry["request"], state__in=[State.WAITING, State.GRANTED])
    steward = {"must_wait": True} if entry["state"] in _NO else {}
    return live.update(state=entry["state"], **steward)


def has_ended(entry: journal.Entry) -> bool:
    """Whether the act of this entry was committed."""
    return not AccessRequest.objects.filter(
        pk=entry["request"], state__in=[State.WAITING, State.GRANTED]
    ).exists()


def leave_all(person: User) -> int:
    """For an erasure; returns how many requests of theirs were deleted. No e-mail is owed to them then."""
    AccessRequest.objects.filter(decided_by=person).update(decided_by=None)
    recall_notices.leave(person)
    gone = person.access_requests.all().delete()[0]
    letters.forget(person)  # last: until here an act in another transaction could owe one more
    return gone


def record(
    asked: AccessRequest, act: audit.AuditEvent.Act, by: User | None, now: datetime, **details: Any
) -> None:
    """Once within ten minutes. The request's number leads to nobody once it is deleted with its person."""
    said = {"request": str(asked.pk), "state": str(asked.state)} | details
    audit.record_once(act, f"release {asked.release.slug}", by, now, said)


def _check(person: User, release: Release, version: str) -> None:
    if release.audience == Purpose.PUBLIC:
        raise AccessRefused(AccessRefusal.IS_PUBLIC)
    if release.retracted_at:
        raise AccessRefused(AccessRefusal.RETRACTED)
    if person.lacks_any_factor:
        raise AccessRefused(AccessRefusal.FACTOR_MISSING)
    if version != terms.VERSION:
        raise AccessRefused(AccessRefusal.OTHER_TERMS, version=terms.VERSION)


def _locked(person: User) -> User:
    """The person with today's key, which nobody replaces until the transaction ends."""
    consent.lock(person)
    found = User.objects.filter(pk=person.pk, is_active=True).select_related("data_key").first()
    if found is None:
        raise AccessRefused(AccessRefusal.LEFT)
    return found


def _goes_on(before: AccessRequest) -> AccessRequest | None:
    """The same request, if asking again changes only what was said and accepted."""
    is_lost = before.is_by_role and not before.person.was_given(Role.RESEARCHER)
    return before if before.state in (State.WAITING, State.GRANTED) and not is_lost else None


def _begin(asked: AccessRequest, is_trusted: bool, now: datetime) -> None:
    is_automatic = asked.release.grants == Release.Grants.AUTOMATIC
    asked.state = State.WAITING
    if not asked.must_wait and (is_automatic or is_trusted):
        asked.state, asked.decided_at, asked.is_by_role = State.GRANTED, now, not is_automatic

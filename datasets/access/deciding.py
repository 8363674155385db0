"""The steward of a release decides who may download it: its campaigns' owner, or whoever runs the site.

With `asking`, the only writer of AccessRequest. Nobody decides on their own request.
"""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from accounts import audit, consent, journal
from accounts.models import Role, User
from datasets.models import AccessRequest, Campaign, Release

from . import asking, letters, sealing
from .refusals import AccessRefusal, AccessRefused

State = AccessRequest.State
LONGEST_REASON = 500


def stewarded_by(person: User) -> QuerySet[Release]:
    """Of a release with other owners' campaigns, too, only those who run the site are stewards."""
    if not person.has_role(Role.OWNER):
        return Release.objects.none()
    if person.is_superuser:
        return Release.objects.all()
    others = Campaign.objects.exclude(owner=person)
    return Release.objects.filter(campaigns__owner=person).exclude(campaigns__in=others).distinct()


def waiting_for(person: User) -> QuerySet[AccessRequest]:
    """The requests that this person can decide, the oldest first."""
    found = AccessRequest.objects.filter(
        state=State.WAITING, release__in=stewarded_by(person), person__is_active=True
    )
    return found.exclude(person=person).order_by("asked_at", "pk")


@transaction.atomic
def grant(pk: UUID, by: User, now: datetime) -> AccessRequest:
    """Raises AccessRefused."""
    asked = _locked(pk, by, State.WAITING, AccessRefusal.NOT_WAITING)
    asked.state, asked.must_wait = State.GRANTED, False
    return _decided(asked, by, now)


@transaction.atomic
def refuse(pk: UUID, reason: str, by: User, now: datetime) -> AccessRequest:
    """The person reads the reason. Raises AccessRefused."""
    asked = _locked(pk, by, State.WAITING, AccessRefusal.NOT_WAITING)
    _say_no(asked, State.REFUSED, reason)
    return _decided(asked, by, now)


@transaction.atomic
def end(pk: UUID, reason: str, by: User, now: datetime) -> AccessRequest:
    """Take back what was granted, at once, also in every backup that is restored. Raises AccessRefused."""
    asked = _locked(pk, by, State.GRANTED, AccessRefusal.NOT_GRANTED)
    _say_no(asked, State.ENDED, reason)
    journal.append(asking.ENDED, now, request=str(asked.pk), state=State.ENDED.value)
    return _decided(asked, by, now)


@transaction.atomic
def set_grants(release: Release, how: Release.Grants, by: User, now: datetime) -> None:
    """Who grants requests from now on. What waits stays with the steward."""
    found = Release.objects.select_for_update(no_key=True).get(pk=release.pk)
    if found.grants != how:
        change = {"changed": {"grants": [found.grants, how.value]}}
        found.grants = how
        found.save(update_fields=["grants"])
        audit.record(audit.Act.DECIDED_ACCESS, f"release {found.slug}", by, now, change)


def _locked(pk: UUID, by: User, state: str, otherwise: AccessRefusal) -> AccessRequest:
    """The request in this state. The person's row is locked first, as wherever something is sealed for them.

    Raises AccessRefused, and AccessRequest.DoesNotExist.
    """
    person = AccessRequest.objects.select_related("person").get(pk=pk).person
    if person.pk == by.pk:
        raise AccessRefused(AccessRefusal.OWN_REQUEST)
    consent.lock(person)
    rows = AccessRequest.objects.select_for_update(of=("self",))
    asked = rows.select_related("release", "person__data_key").get(pk=pk)
    if asked.state != state:
        raise AccessRefused(otherwise)
    return asked


def _say_no(asked: AccessRequest, state: State, reason: str) -> None:
    words = reason.strip()[:LONGEST_REASON]
    if not words:
        raise AccessRefused(AccessRefusal.NO_REASON)
    sealing.seal(asked, replace(sealing.unseal(asked), reason=words))
    asked.state, asked.must_wait = state, True


def _decided(asked: AccessRequest, by: User, now: datetime) -> AccessRequest:
    asked.decided_by, asked.decided_at, asked.is_by_role = by, now, False
    asked.save()
    letters.owe_decision(asked, now)
    asking.record(asked, audit.Act.DECIDED_ACCESS, by, now)
    return asked

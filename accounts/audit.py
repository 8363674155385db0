"""The audit record: who heard, decided and exported what. It is tamper-evident, and people can be erased.

The SHA-256 of each event covers the one before it, so the newest one, the head, vouches for all of them.
The hash covers the person only as a salted hash, so person and salt can be erased without breaking the chain.
"""

import hashlib
import secrets
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from django.db import connection, transaction

from . import signing
from .models import AUDIT_LOCK, AuditEvent, User
from .refusals import Refusal

Act = AuditEvent.Act

# A player requests a sound several times; requests within this time are recorded as one hearing.
HEARING_WINDOW = timedelta(minutes=10)


class AuditRefusal(StrEnum):
    EVENT_CHANGED = "event-changed"  # with its `number`


class ChainBroken(Refusal):
    """The record was changed: it no longer has an event as it was."""


@transaction.atomic
def record(act: AuditEvent.Act, about: str, person: User | None, now: datetime) -> AuditEvent:
    """Append an event to the chain. `about` is a kind and an id, never a name."""
    with connection.cursor() as cursor:  # writers take turns, because an event names its predecessor
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [AUDIT_LOCK])
    before = head()
    salt = secrets.token_bytes(16) if person else b""
    event = AuditEvent(
        number=before.number + 1 if before else 1,
        at=now,
        act=act,
        about=about,
        who_sha256=_person_hash(salt, person.pk) if person else "",
        person=person,
        salt=salt,
    )
    event.sha256 = _sha256(event, before.sha256 if before else "")
    event.save(force_insert=True)
    return event


def record_hearing(about: str, person: User, now: datetime) -> None:
    """Record that this person heard a clip outside of the queue, once per `HEARING_WINDOW`."""
    since = now - HEARING_WINDOW
    recent = AuditEvent.objects.filter(act=Act.HEARD, about=about, person=person, at__gt=since)
    if not recent.exists():
        record(Act.HEARD, about, person, now)


def head(at: datetime | None = None) -> AuditEvent | None:
    """The newest event, now or at that time. Its number and hash reveal any change to earlier events."""
    events = AuditEvent.objects.filter(at__lte=at) if at else AuditEvent.objects
    return events.order_by("-number").first()


def forget(person: User) -> int:
    """Erase this person from all their events; returns how many there were."""
    return AuditEvent.objects.filter(person=person).update(person=None, salt=b"")


def broken_at() -> int | None:
    """The number of the first event that does not follow from the one before it, or None if all do."""
    before = ""
    for number, event in enumerate(AuditEvent.objects.order_by("number").iterator(), start=1):
        is_intact = (
            event.number == number and event.sha256 == _sha256(event, before) and _names_its_person(event)
        )
        if not is_intact:
            return number
        before = event.sha256
    return None


def check_event(number: int, sha256: str) -> None:
    """Raises ChainBroken unless the event with this number still has this hash."""
    if not AuditEvent.objects.filter(number=number, sha256=sha256).exists():
        raise ChainBroken(AuditRefusal.EVENT_CHANGED, number=number)


def as_dict(event: AuditEvent) -> dict[str, Any]:
    """What a receipt says about an event."""
    return {"number": event.number, "sha256": event.sha256}


def _sha256(event: AuditEvent, before: str) -> str:
    content = {
        "number": event.number,
        "at": event.at.astimezone(UTC).isoformat(),
        "act": event.act,
        "about": event.about,
        "who": event.who_sha256,
        "before": before,
    }
    return hashlib.sha256(signing.canonical_json(content)).hexdigest()


def _person_hash(salt: bytes, person_id: int) -> str:
    return hashlib.sha256(salt + str(person_id).encode()).hexdigest()


def _names_its_person(event: AuditEvent) -> bool:
    """Whether the event still names its original person, or its person was erased."""
    return event.person_id is None or event.who_sha256 == _person_hash(bytes(event.salt), event.person_id)

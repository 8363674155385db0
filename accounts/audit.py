"""The audit record: who heard, decided and exported what. It is tamper-evident, and people can be erased.

The SHA-256 of each event covers the one before it, so the newest one, the head, vouches for all of them.
The hash covers the person only as a salted hash, so person and salt can be erased without breaking the chain.
Details are covered where there are any: so events from before there were details verify byte for byte.
"""

import hashlib
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from django.db import connection, transaction

from . import signing
from .models import AUDIT_CHECK_LOCK, AUDIT_LOCK, AuditCheck, AuditEvent, User
from .refusals import Refusal

Act = AuditEvent.Act

# A player requests a sound several times, and a download comes in parts: within this time they are one event.
WINDOW = timedelta(minutes=10)
Details = dict[str, Any]


class AuditRefusal(StrEnum):
    EVENT_CHANGED = "event-changed"  # with its `number`
    EVENT_LOST = "event-lost"  # with its `number`: a backup from before it was restored


class ChainBroken(Refusal):
    """The record was changed: it no longer has an event as it was."""


def record(
    act: AuditEvent.Act, about: str, person: User | None, now: datetime, details: Details | None = None
) -> AuditEvent:
    """Append an event to the chain. `about` is a kind and an id; neither it nor `details` holds a name.

    `details` are what JSON can say. They stay when the person is erased, so they must not lead to anyone.
    """
    return _record(act, about, person, now, lost_to=0, details=details)


@transaction.atomic
def record_restore(lost_to: int, now: datetime) -> AuditEvent:
    """Append the event of a restore. If events up to number `lost_to` were lost, it says which.

    The next number follows on the lost ones, so that no receipt can name two events by one number.
    """
    last = head()
    first = (last.number if last else 0) + 1
    about = f"events {first} to {lost_to} are lost" if lost_to >= first else "no event is known to be lost"
    return _record(Act.RESTORED, about, None, now, lost_to)


@transaction.atomic
def _record(
    act: AuditEvent.Act,
    about: str,
    person: User | None,
    now: datetime,
    lost_to: int,
    details: Details | None = None,
) -> AuditEvent:
    with connection.cursor() as cursor:  # writers take turns, because an event names its predecessor
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [AUDIT_LOCK])
    before = head()
    salt = secrets.token_bytes(16) if person else b""
    event = AuditEvent(
        number=max(before.number if before else 0, lost_to) + 1,
        at=now,
        act=act,
        about=about,
        details=details or {},
        who_sha256=_person_hash(salt, person.pk) if person else "",
        person=person,
        salt=salt,
    )
    event.sha256 = _sha256(event, before.sha256 if before else "")
    event.save(force_insert=True)
    return event


def record_once(
    act: AuditEvent.Act, about: str, person: User | None, now: datetime, details: Details | None = None
) -> None:
    """Record an event unless the same one of this person was recorded within `WINDOW`.

    People without an account count as one, so no stranger can fill the record.
    """
    whose: Details = {"person": person} if person else {"who_sha256": ""}
    same = AuditEvent.objects.filter(
        about=about, at__gt=now - WINDOW, act=act, details=details or {}, **whose
    )
    if not same.exists():
        record(act, about, person, now, details)


def record_hearing(about: str, person: User, now: datetime) -> None:
    """Record that this person heard a clip outside of the queue."""
    record_once(Act.HEARD, about, person, now)


def head(at: datetime | None = None) -> AuditEvent | None:
    """The newest event, now or at that time. Its number and hash reveal any change to earlier events."""
    events = AuditEvent.objects.filter(at__lte=at) if at else AuditEvent.objects
    return events.order_by("-number").first()


def forget(person: User) -> int:
    """Erase this person from all their events; returns how many there were."""
    return AuditEvent.objects.filter(person=person).update(person=None, salt=b"")


def broken_at() -> int | None:
    """The number of the first event that does not follow from the one before it, or None if all do.

    Only the event of a restore may leave out numbers: those of the events that it names as lost.
    """
    before, number = "", 0
    for event in AuditEvent.objects.order_by("number").iterator():
        number += 1
        follows = event.number == number or (
            event.act == Act.RESTORED and event.about == f"events {number} to {event.number - 1} are lost"
        )
        if not (follows and event.sha256 == _sha256(event, before) and _names_its_person(event)):
            return number
        before, number = event.sha256, event.number
    return None


def ask_for_check(now: datetime) -> None:
    """Ask a worker to read the whole record. It may have a million events, so no request waits for it."""
    AuditCheck.objects.update_or_create(id=1, defaults={"asked_at": now, "finished_at": None})


@transaction.atomic
def check_if_asked(clock: Callable[[], datetime]) -> bool:
    """Check the record if someone asked for it and no other worker is at it."""
    asked = AuditCheck.objects.filter(finished_at=None).first()
    if asked is None or not _is_the_only_check():
        return False
    newest = head()
    found: Details = {"broken_at": broken_at(), "finished_at": clock()}
    if newest:
        found |= {"events": newest.number, "sha256": newest.sha256}
    # Someone may have asked again meanwhile: then it is checked once more.
    AuditCheck.objects.filter(asked_at=asked.asked_at).update(**found)
    return True


def _is_the_only_check() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [AUDIT_CHECK_LOCK])
        return bool(cursor.fetchone()[0])


def check_event(number: int, sha256: str) -> None:
    """Raises ChainBroken unless the event with this number still has this hash."""
    if AuditEvent.objects.filter(number=number, sha256=sha256).exists():
        return
    next_one = AuditEvent.objects.filter(number__gte=number).order_by("number").first()
    if next_one and next_one.number > number and next_one.act == Act.RESTORED:
        raise ChainBroken(AuditRefusal.EVENT_LOST, number=number)
    raise ChainBroken(AuditRefusal.EVENT_CHANGED, number=number)


def as_dict(event: AuditEvent) -> dict[str, Any]:
    """What a receipt says about an event."""
    return {"number": event.number, "sha256": event.sha256}


def content(event: AuditEvent) -> dict[str, Any]:
    """What its hash covers, besides `before`, the hash of the event before it."""
    covered = {
        "number": event.number,
        "at": event.at.astimezone(UTC).isoformat(),
        "act": event.act,
        "about": event.about,
        "who": event.who_sha256,
    }
    return covered | ({"details": event.details} if event.details else {})


def _sha256(event: AuditEvent, before: str) -> str:
    covered = content(event) | {
        "before": before,
    }
    return hashlib.sha256(signing.canonical_json(covered)).hexdigest()


def _person_hash(salt: bytes, person_id: int) -> str:
    return hashlib.sha256(salt + str(person_id).encode()).hexdigest()


def _names_its_person(event: AuditEvent) -> bool:
    """Whether the event still names its original person, or its person was erased."""
    return event.person_id is None or event.who_sha256 == _person_hash(bytes(event.salt), event.person_id)

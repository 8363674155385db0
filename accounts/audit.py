"""A record of who looked, decided and exported that nobody can change unseen, and that forgets people.

Each event's SHA-256 covers the one before it, so the newest one, the head, vouches for all. Of the person an
event holds only a salted hash; what that hash was made of can be erased without breaking the chain.
"""

import hashlib
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext as _

from . import signing
from .models import AUDIT_LOCK, AuditEvent, User

Act = AuditEvent.Act


class Broken(Exception):
    """The record is not what it was; says where."""


ONE_LOOK = timedelta(minutes=10)


@transaction.atomic
def record(act: AuditEvent.Act, about: str, person: User | None, now: datetime) -> AuditEvent:
    """One more event, at the end of the chain; `about` is a kind and an id, never a name."""
    with connection.cursor() as cursor:  # one after another: an event names its predecessor
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [AUDIT_LOCK])
    before = head()
    salt = secrets.token_bytes(16) if person else b""
    event = AuditEvent(
        number=before.number + 1 if before else 1,
        at=now,
        act=act,
        about=about,
        who_sha256=_who(salt, person.pk) if person else "",
        person=person,
        salt=salt,
    )
    event.sha256 = _sha256(event, before.sha256 if before else "")
    event.save(force_insert=True)
    return event


def looked(about: str, person: User, now: datetime) -> None:
    """Somebody heard this outside of the queue. A player asks for a sound several times: told once."""
    lately = AuditEvent.objects.filter(act=Act.HEARD, about=about, person=person, at__gt=now - ONE_LOOK)
    if not lately.exists():
        record(Act.HEARD, about, person, now)


def head(at: datetime | None = None) -> AuditEvent | None:
    """The newest event, now or then: with its number and hash noted, no change before it goes unseen."""
    events = AuditEvent.objects.filter(at__lte=at) if at else AuditEvent.objects
    return events.order_by("-number").first()


def forget(person: User) -> int:
    """Erase who it was from all events of this person; how many those were."""
    return AuditEvent.objects.filter(person=person).update(person=None, salt=b"")


def broken_at() -> int | None:
    """The number of the first event that does not follow from the one before it; None when all do."""
    before = ""
    for number, event in enumerate(AuditEvent.objects.order_by("number").iterator(), start=1):
        is_whole = event.number == number and event.sha256 == _sha256(event, before) and _is_theirs(event)
        if not is_whole:
            return number
        before = event.sha256
    return None


def must_hold(number: int, sha256: str) -> None:
    """Raises Broken unless the event of this number is still the one with this hash."""
    if not AuditEvent.objects.filter(number=number, sha256=sha256).exists():
        words = _("This site's record does not hold event %(number)d as it was any more.")
        raise Broken(words % {"number": number})


def told(event: AuditEvent) -> dict[str, Any]:
    """What a receipt says of an event."""
    return {"number": event.number, "sha256": event.sha256}


def _sha256(event: AuditEvent, before: str) -> str:
    said = {
        "number": event.number,
        "at": event.at.astimezone(UTC).isoformat(),
        "act": event.act,
        "about": event.about,
        "who": event.who_sha256,
        "before": before,
    }
    return hashlib.sha256(signing.canonical(said)).hexdigest()


def _who(salt: bytes, person_id: int) -> str:
    return hashlib.sha256(salt + str(person_id).encode()).hexdigest()


def _is_theirs(event: AuditEvent) -> bool:
    """Whether it names the person that it named at first, or by now nobody."""
    return event.person_id is None or event.who_sha256 == _who(bytes(event.salt), event.person_id)

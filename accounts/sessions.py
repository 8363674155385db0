"""Django's database sessions with a column for the person, so that erasing a person deletes theirs.

Of each, its owner sees on which day it began and was last used; nothing else about it is stored.
"""

from collections.abc import Iterable
from typing import Any, cast

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.dateparse import parse_date

from .models import PersonalSession, User

BEGAN_ON = "began_on"  # in the session's data, because its row is a new one when the key changes


class SessionStore(DatabaseStore):
    @classmethod
    def get_model_class(cls) -> type[PersonalSession]:
        return PersonalSession

    def create_model_instance(self, data: dict[str, Any]) -> PersonalSession:
        today = timezone.now().date()
        if SESSION_KEY in data:
            data.setdefault(BEGAN_ON, today.isoformat())
        row = cast(PersonalSession, super().create_model_instance(data))
        row.person_id = int(data[SESSION_KEY]) if SESSION_KEY in data else None
        row.began_on = parse_date(data.get(BEGAN_ON, "")) or today
        row.used_on = today
        return row

    def _get_session_from_db(self) -> PersonalSession | None:
        """And note the day on which it is used, in one write a day."""
        row: PersonalSession | None = super()._get_session_from_db()  # type: ignore[misc]
        today = timezone.now().date()
        if row and row.person_id and row.used_on < today:
            PersonalSession.objects.filter(pk=row.pk).update(used_on=today)
        return row


def of(person: User) -> list[PersonalSession]:
    """The sessions of this person that have not expired, the one used last first."""
    live = person.sessions.filter(expire_date__gt=timezone.now())
    return list(live.order_by("-used_on", "-began_on", "-expire_date"))


def name(session: PersonalSession) -> str:
    """What addresses call it: its key would let anyone in who sees the address."""
    return salted_hmac("accounts.sessions.name", session.session_key, algorithm="sha256").hexdigest()[:32]


def end(sessions: Iterable[PersonalSession]) -> int:
    """Returns how many were ended: some may have ended by themselves."""
    keys = [session.pk for session in sessions]
    return PersonalSession.objects.filter(pk__in=keys).delete()[0]


def end_all(person: User, but: str | None = None) -> int:
    """End all sessions of this person but the one with this key; returns how many."""
    return PersonalSession.objects.filter(person=person).exclude(pk=but or "").delete()[0]

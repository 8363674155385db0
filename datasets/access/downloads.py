"""Who downloaded what of a release, and on which day, as the audit record has it.

An archive in many parts is one event, and so is whatever somebody does within ten minutes.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import TruncDate

from accounts.ciphers import KeyLost
from accounts.models import AuditEvent, User
from datasets.models import AccessRequest, Release

from . import sealing


@dataclass(frozen=True)
class Download:
    """`person` is None if they left, and if nobody was logged in: then `is_open`."""

    day: date
    format: str
    person: int | None
    pseudonym: str
    name: str  # that they gave when they asked; both are empty if they cannot be read any more
    is_open: bool


def of_release(release: Release) -> QuerySet[AuditEvent, Any]:
    """One for each day, person and format, the newest first; for `described`, page by page."""
    return _by_day(AuditEvent.objects.filter(about=f"release {release.slug}"))


def of_person(person: User) -> QuerySet[AuditEvent, Any]:
    """The same of all releases, for the person."""
    return _by_day(AuditEvent.objects.filter(person=person))


def described(release: Release, rows: Iterable[dict[str, Any]]) -> list[Download]:
    """With the names of the people, in two statements however many they are."""
    found = list(rows)
    known = {row["person"] for row in found if row["person"]}
    people = User.objects.select_related("data_key").in_bulk(known)
    names = names_of(release, people)
    return [
        Download(
            day=row["day"],
            format=row["format"] or "",
            person=row["person"],
            pseudonym=_pseudonym(people.get(row["person"])),
            name=names.get(row["person"], ""),
            is_open=row["is_open"],
        )
        for row in found
    ]


def names_of(release: Release, people: Iterable[int]) -> dict[int, str]:
    """What these people called themselves when they asked for this release."""
    asked = AccessRequest.objects.filter(release=release, person__in=list(people))
    return {each.person_id: name_in(each) for each in asked.select_related("person__data_key")}


def _pseudonym(person: User | None) -> str:
    try:
        return person.pseudonym if person else ""
    except KeyLost:
        return ""


def name_in(asked: AccessRequest) -> str:
    """Empty if it cannot be read any more."""
    try:
        return sealing.unseal(asked).name
    except KeyLost:
        return ""


def _by_day(events: QuerySet[AuditEvent]) -> QuerySet[AuditEvent, Any]:
    exported = events.filter(act=AuditEvent.Act.EXPORTED)
    is_open = ExpressionWrapper(Q(who_sha256=""), output_field=BooleanField())
    form = KeyTextTransform("format", "details")
    named = exported.annotate(day=TruncDate("at"), format=form, is_open=is_open)
    rows = named.order_by("-day", "about", "person", "format", "is_open")
    return rows.values("day", "about", "person", "format", "is_open").distinct()

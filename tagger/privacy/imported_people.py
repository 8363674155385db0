"""Withdraws people whose clips were imported: by a command, or by the owner of a campaign that has them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from accounts import audit, contributors
from accounts.models import Consent, User

from . import erasure


@dataclass(frozen=True)
class Withdrawn:
    """One of them, and the token of the receipt; it is empty if they had withdrawn already."""

    speaker: str
    token: str


def withdraw(
    collection: str,
    speaker: str | None,
    by: User | None,
    now: datetime,
    among: QuerySet[User] | None = None,
) -> list[Withdrawn]:
    """Withdraw this speaker of the collection, or everybody in it for None; only people `among` these.

    Consents end immediately, clips are erased within minutes, and no later import brings them back.
    """
    found = list(_people(collection, speaker))
    if among is not None:
        known = set(among.filter(pk__in=[person.pk for _, person in found]).values_list("pk", flat=True))
        found = [(name, person) for name, person in found if person.pk in known]
    done = [Withdrawn(name, _withdraw(person, now)) for name, person in found]
    if gone := sum(bool(each.token) for each in done):
        audit.record(audit.Act.WITHDREW_IMPORT, "imported people", by, now, {"number": gone})
    return done


def _withdraw(person: User, now: datetime) -> str:
    if not Consent.objects.live().filter(contributor=person).exists():
        return ""
    return erasure.erase_contributor(person, now)


def _people(collection: str, speaker: str | None) -> Iterable[tuple[str, User]]:
    if speaker is None:
        return contributors.in_collection(collection)
    return [(speaker, person) for person in contributors.find_all(collection, speaker)]

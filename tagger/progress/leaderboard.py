"""The list of volunteers who want to be named, by their active days. It shows neither answers nor speed."""

from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import ObjectDoesNotExist

from accounts.keys import KeyLost
from accounts.models import Role, User

from . import active_days, days, queries

SET_SIZE = 10  # answers that make a day count, as static/js/desk/set-of-ten.js has it
DAYS = 28  # how far the list looks back
LENGTH = 50


@dataclass(frozen=True)
class ListedVolunteer:
    """`days` is the number of the last 28 days on which they gave a set of answers or more."""

    pk: int
    pseudonym: str
    days: int


def set_listed(person: User, is_listed: bool) -> None:
    """Put a person on the list or take them off it, from the next request on."""
    User.objects.filter(pk=person.pk, is_active=True).update(on_leaderboard=is_listed)


def volunteers(now: datetime) -> list[ListedVolunteer]:
    """At most fifty of those who want to be named: by days, equals by name.

    If not all volunteers with equally many days fit in, a random choice is made, a new one each day.
    """
    where = "person.on_leaderboard AND person.is_active AND person.roles @> ARRAY[%s]"
    found, values = active_days.statement(SET_SIZE, DAYS, now, where, [Role.ANNOTATOR])
    most_days = queries.rows(
        MOST_DAYS.format(found=found), [*values, str(days.start_of_day(now).date()), LENGTH]
    )
    people = User.objects.select_related("data_key").in_bulk([pk for pk, _days in most_days])
    rows = [
        ListedVolunteer(pk, name, number) for pk, number in most_days if (name := name_of(people.get(pk)))
    ]
    return sorted(rows, key=lambda row: (-row.days, row.pseudonym.casefold(), row.pseudonym))


MOST_DAYS = """
    SELECT id, count(*) FROM ({found}) found GROUP BY id ORDER BY count(*) DESC, md5(id || %s) LIMIT %s
"""


def days_of(person: User, now: datetime) -> int:
    """This person's days, as the list counts them."""
    return len(active_days.of_person(person, SET_SIZE, DAYS, now))


def name_of(person: User | None) -> str:
    """Their pseudonym; empty if they left."""
    try:
        return person.pseudonym if person else ""
    except (KeyLost, ObjectDoesNotExist):  # the person's account was erased while this ran
        return ""

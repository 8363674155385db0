"""On which of the last days a person gave enough answers. Nothing here measures speed.

One look into the index of a person's answers by time is enough for each day, however many answers there are.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from accounts.models import User
from datasets.models import Annotation

from . import days, queries

# For each person and day: is there an answer after the first `least - 1`?
ACTIVE_DAYS = f"""
    SELECT person.id, day.number
    FROM {User._meta.db_table} person
    CROSS JOIN unnest(%s::timestamptz[], %s::timestamptz[]) WITH ORDINALITY AS day (start, stop, number)
    CROSS JOIN LATERAL (
        SELECT FROM {Annotation._meta.db_table} given
        WHERE given.annotator_id = person.id AND given.created_at >= day.start AND given.created_at < day.stop
        OFFSET %s LIMIT 1
    ) enough
    WHERE {{where}}
"""


def of_person(person: User, least: int, number: int, now: datetime) -> set[int]:
    """Those of the last `number` days on which this person gave `least` answers or more; 1 is today."""
    found = queries.rows(*statement(least, number, now, "person.id = %s", [person.pk]))
    return {day for _person, day in found}


def statement(
    least: int, number: int, now: datetime, where: str, values: Sequence[Any]
) -> tuple[str, list[Any]]:
    """A statement, with its values, for rows of (person, day). `where` says which people, as `person`."""
    starts, stops = zip(*days.last(number, now), strict=True)
    return ACTIVE_DAYS.format(where=where), [list(starts), list(stops), least - 1, *values]

"""A person's own wave: a bar for each day on which they answered, so it grows with every day they come.

Days without answers are not drawn. A bar's height says a little about how much a day held, and nothing
above a hundred answers.
"""

from dataclasses import dataclass
from math import sin, sqrt

from django.conf import settings

from accounts.models import User
from datasets.models import Annotation

from . import queries

MOST_DAYS, MOST_ANSWERS = 60, 100
BARS = 30  # until there are as many days, the rest of the wave is a murmur, lower than any day
LOWEST = 24  # percent: the height of a day with one answer, nearly


@dataclass(frozen=True)
class OwnWave:
    """`heights` are those of the bars, 0 to 100; the first `days` bars are days."""

    heights: list[float]
    days: int

    @property
    def done(self) -> float:
        return self.days / len(self.heights)


def of_person(person: User) -> OwnWave:
    """Their newest days, the oldest of these first."""
    zone = settings.TIME_ZONE
    values = [zone, person.pk, zone, person.pk, MOST_DAYS, person.pk, zone, MOST_ANSWERS]
    found = [height(answers) for _start, answers in queries.rows(NEWEST_DAYS, values)]
    return OwnWave(found + [murmur(n) for n in range(len(found), BARS)], len(found))


def height(answers: int) -> float:
    """
    >>> [round(height(answers)) for answers in (1, 10, 50, 100, 1000)]
    [32, 48, 78, 100, 100]
    """
    return LOWEST + (100 - LOWEST) * sqrt(min(answers, MOST_ANSWERS) / MOST_ANSWERS)


def murmur(bar: int) -> float:
    """The height of a bar that is not a day yet.

    >>> all(0 < murmur(bar) < LOWEST for bar in range(BARS))
    True
    """
    return LOWEST * (0.3 + 0.6 * abs(sin(0.9 * bar)))


# From each day it goes back to the answer before it: a few looks into the index for each day, however many
# answers there are.
NEWEST_DAYS = f"""
    WITH RECURSIVE day AS (
        (SELECT date_trunc('day', created_at, %s) AS start, 1 AS number
            FROM {Annotation._meta.db_table} WHERE annotator_id = %s ORDER BY created_at DESC LIMIT 1)
        UNION ALL
        SELECT date_trunc('day', before.created_at, %s), day.number + 1
        FROM day CROSS JOIN LATERAL (
            SELECT created_at FROM {Annotation._meta.db_table}
            WHERE annotator_id = %s AND created_at < day.start ORDER BY created_at DESC LIMIT 1
        ) before
        WHERE day.number < %s
    )
    SELECT day.start, (SELECT count(*) FROM (
        SELECT FROM {Annotation._meta.db_table}
        WHERE annotator_id = %s AND created_at >= day.start
            AND created_at < date_trunc('day', day.start + interval '36 hours', %s)
        LIMIT %s
    ) given)
    FROM day ORDER BY day.start
"""

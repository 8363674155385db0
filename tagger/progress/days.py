"""Calendar days in the site's own time zone."""

from datetime import datetime, timedelta
from itertools import pairwise

from django.utils.timezone import localtime

Day = tuple[datetime, datetime]


def start_of_day(now: datetime) -> datetime:
    """The midnight at which the day of `now` began."""
    return localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)


def start_of_month(now: datetime) -> datetime:
    """The midnight at which the month of `now` began."""
    return start_of_day(now).replace(day=1)


def last(number: int, now: datetime) -> list[Day]:
    """The last `number` days, today first, each from its midnight to the next.

    A day is as long as local clocks make it: 23 hours when they are put forward.
    """
    midnights = [start_of_day(now) - timedelta(days=back) for back in range(-1, number)]
    return [(midnight, following) for following, midnight in pairwise(midnights)]

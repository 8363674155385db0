"""Days as the site's own time zone has them."""

from datetime import datetime, timedelta
from itertools import pairwise

from django.utils.timezone import localtime

Day = tuple[datetime, datetime]


def start(now: datetime) -> datetime:
    """The midnight with which today began."""
    return localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)


def last(number: int, now: datetime) -> list[Day]:
    """So many days, today first, each from its midnight to the next.

    A day is as long as the clocks on the wall make it: 23 hours when they are put forward.
    """
    midnights = [start(now) - timedelta(days=back) for back in range(-1, number)]
    return [(midnight, following) for following, midnight in pairwise(midnights)]

"""What is still wanted of a campaign, and when it is likely to be done (pure)."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import mean, stdev

LEAST_DAYS = 3  # fewer whole days tell nothing about the pace
MOST_DAYS = 14
FURTHEST = 3_650  # days ahead; what lies beyond them is not foreseeable

# Student's t for 95 %, by degrees of freedom, from LEAST_DAYS - 1 to MOST_DAYS - 1.
_T = {2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365}
_T |= {8: 2.306, 9: 2.262, 10: 2.228, 11: 2.201, 12: 2.179, 13: 2.160}


@dataclass(frozen=True)
class Pace:
    """Answers a day, with the 95 % interval of their mean."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Forecast:
    """The day on which the last clip is settled or disputed; None where it is not foreseeable."""

    day: date | None
    earliest: date | None
    latest: date | None


def pace(answers: Sequence[int]) -> Pace | None:
    """From the answers of each of the last whole days; None if these are too few.

    The interval is that of Student's t: days differ, and no more is known of how.

    >>> pace([20, 20, 20, 20])
    Pace(mean=20, low=20.0, high=20.0)
    """
    if len(answers) < LEAST_DAYS:
        return None
    last = answers[-MOST_DAYS:]
    reach = _T[len(last) - 1] * stdev(last) / math.sqrt(len(last))
    return Pace(mean(last), max(0.0, mean(last) - reach), mean(last) + reach)


def forecast(today: date, votes: float, found: Pace | None) -> Forecast:
    """When so many votes are in, at this pace.

    >>> forecast(date(2026, 5, 4), 100, Pace(20, 10, 40)).day
    datetime.date(2026, 5, 9)
    """
    if found is None or not found.mean:
        return Forecast(None, None, None)
    days = (_day(today, votes, each) for each in (found.mean, found.high, found.low))
    return Forecast(*days)


def _day(today: date, votes: float, a_day: float) -> date | None:
    needed = math.ceil(votes / a_day) if a_day else FURTHEST + 1
    return today + timedelta(days=needed) if needed <= FURTHEST else None


def votes_wanted(had: int, wanted: int, ended: Mapping[int, int]) -> float:
    """How many more votes a clip is likely to need that has had some and asks for `wanted` at present.

    `ended`: how many clips of this campaign were settled or disputed after so many votes. Those that
    had more than this clip has now say how it may go on; without any, it is what it asks for.

    >>> votes_wanted(2, 3, {2: 50, 3: 6, 5: 2})
    1.5
    >>> votes_wanted(2, 3, {2: 50})
    1.0
    """
    longer = {votes: clips for votes, clips in ended.items() if votes > had}
    if not longer:
        return float(max(wanted - had, 1))
    return sum(votes * clips for votes, clips in longer.items()) / sum(longer.values()) - had

"""Whose turn it is to be counted, and by one worker at a time. The longer counting takes, the less often.

For rows with `measured_at`, `took` and, if campaigns are counted one by one, `campaign` and `claimed_at`.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import F, Q

from datasets.models import Campaign
from tagger.models import CampaignFigures, PeopleCount

PAUSE_FACTOR = 60  # the pause after a count, in multiples of the time that the count took
LONGEST_COUNT = timedelta(hours=1)  # after that, another worker takes over

Counted = TypeVar("Counted", CampaignFigures, PeopleCount)


def is_due(last: Any, now: datetime, shortest: timedelta = timedelta(0)) -> bool:
    """Whether the pause after the last count is over; it is never shorter than `shortest`."""
    pause = max(PAUSE_FACTOR * timedelta(seconds=last.took), shortest)
    return last.measured_at is None or now >= last.measured_at + pause


def due(
    counted: type[Counted],
    clock: Callable[[], datetime],
    shortest: timedelta = timedelta(0),
    unread: tuple[str, ...] = (),
) -> Iterator[Campaign]:
    """The campaigns whose turn it is, longest waiting first. `unread`: columns that are not needed."""
    rows = counted.objects
    new = Campaign.objects.exclude(pk__in=rows.values_list("campaign", flat=True))
    rows.bulk_create([counted(campaign=each) for each in new], ignore_conflicts=True)
    known = rows.defer(*unread).select_related("campaign").order_by(F("measured_at").asc(nulls_first=True))
    return (each.campaign for each in known if is_due(each, clock(), shortest))


def claim(counted: type[Counted], campaign: Campaign, now: datetime) -> bool:
    """Whether this worker is to count it: no other one is at it, or the other took too long."""
    rows = counted.objects
    rows.get_or_create(campaign=campaign)
    is_free = Q(claimed_at=None) | Q(claimed_at__lt=now - LONGEST_COUNT)
    return bool(rows.filter(is_free, campaign=campaign).update(claimed_at=now))


@contextmanager
def ending(
    counted: type[Counted], campaign: Campaign, claimed_at: datetime, clock: Callable[[], datetime]
) -> Iterator[dict[str, Any] | None]:
    """A transaction in which what was counted is stored; None if another worker took over meanwhile.

    At its end the claim is over, and the row says how long the count took. It gets the columns, too, that the
    caller puts into what this gives.
    """
    with transaction.atomic():
        mine = counted.objects.filter(campaign=campaign, claimed_at=claimed_at)
        if not mine.select_for_update(no_key=True).exists():
            yield None
            return
        columns: dict[str, Any] = {}
        yield columns
        took = (clock() - claimed_at).total_seconds()
        mine.update(measured_at=claimed_at, took=took, claimed_at=None, **columns)

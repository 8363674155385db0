"""How many clips were settled, and how many became disputes, in each quarter of an hour.

Not one message for each clip: whoever receives them would see when a single volunteer is at work, and how
fast. So a message counts a whole quarter of the clock, and is sent after it; if nothing happened, none is.
It counts what came, not what there is: totals would say when somebody left with their clips.
"""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from datasets.models import Campaign, Task, Webhook
from datasets.webhooks import outbox, places
from tagger.models import ReviewItem

QUARTER = timedelta(minutes=15)
LATE = timedelta(minutes=1)  # longer than a transaction lasts that settles tasks
Event = Webhook.Event
COUNTED = (Event.CAMPAIGN_SETTLED, Event.DISPUTE_OPENED)


def tell(now: datetime) -> int:
    """Owe each webhook that wants it the counts of the quarters that are over; returns how many were due."""
    if not places.are_on():
        return 0
    until = start_of_quarter(now - LATE)
    due = Webhook.objects.filter(off_at=None, counted_until__lt=until).order_by("pk")
    numbers = list(due.values_list("pk", flat=True))
    for number in numbers:
        _tell(number, until)
    return len(numbers)


def start_of_quarter(at: datetime) -> datetime:
    """
    >>> start_of_quarter(datetime(2026, 5, 4, 12, 44, 59)).isoformat()
    '2026-05-04T12:30:00'
    """
    return at.replace(minute=at.minute // 15 * 15, second=0, microsecond=0)


@transaction.atomic
def _tell(number: UUID, until: datetime) -> None:
    """What is told and up to when is stored together: a worker that is killed tells it once."""
    locked = Webhook.objects.select_for_update(of=("self",), no_key=True, skip_locked=True)
    due = locked.select_related("campaign").filter(pk=number, off_at=None, counted_until__lt=until)
    for hook in due:
        for event in COUNTED:
            if event in hook.events and (said := _said(event, hook.campaign, hook.counted_until, until)):
                outbox.owe_to([hook], event, hook.campaign, until, **said)
        Webhook.objects.filter(pk=hook.pk).update(counted_until=until)


def _said(event: Event, campaign: Campaign, since: datetime, until: datetime) -> dict[str, int]:
    """Empty if there is nothing to say."""
    if event == Event.CAMPAIGN_SETTLED:
        settled = Task.objects.filter(campaign=campaign, status=Task.Status.SETTLED)
        counted = {"settled": settled.filter(settled_at__gte=since, settled_at__lt=until).count()}
    else:
        disputes = ReviewItem.objects.filter(
            campaign=campaign, kind=ReviewItem.Kind.DISPUTE, closed_at=None, opened_at__gte=since
        )
        counted = {"disputed": disputes.filter(opened_at__lt=until).count()}
    return counted if any(counted.values()) else {}

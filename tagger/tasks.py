"""Celery: thin. Arguments are ids; each may run twice and finds nothing the second time."""

import logging
from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from datasets.models import Campaign, Task

from . import controls, figures, leases, settlement
from . import refit as refits

logger = logging.getLogger(__name__)

# Younger ones are likely in the queue still; what is older was lost on the way.
LOST_AFTER = timedelta(seconds=2)


@shared_task
def settle(task_id: int) -> None:
    settlement.settle(task_id, timezone.now())


@shared_task
def sweep() -> int:
    """Settle what the broker lost, from the database alone, oldest first; how many that were."""
    now = timezone.now()
    lost = (
        Task.objects.filter(dirty_since__lt=now - LOST_AFTER)
        .order_by("dirty_since")
        .values_list("pk", flat=True)
    )
    found = 0
    for task_id in lost[:10_000].iterator():
        try:
            settlement.settle(task_id, timezone.now())
        except Exception:  # one task that cannot be settled must not keep all others waiting
            logger.exception("task %s cannot be settled", task_id)
        found += 1
    return found


@shared_task
def refit() -> int:
    """Learn every crowd anew; how many annotations that took."""
    learned = 0
    for kind, language in refits.crowds():
        try:
            learned += refits.refit(kind, language, timezone.now())
        except Exception:  # one crowd that cannot be learned must not keep the others waiting
            logger.exception("the crowd of %s in %s cannot be learned", kind, language)
    return learned


@shared_task
def rotate_controls() -> int:
    """Once an hour; how many controls are in use then."""
    return sum(
        controls.rotate(campaign, timezone.now()) for campaign in Campaign.objects.filter(is_open=True)
    )


@shared_task
def measure_agreement() -> None:
    """Once a night, also of campaigns that are closed by now."""
    for campaign in Campaign.objects.all():
        figures.measure(campaign, timezone.now())


@shared_task
def reclaim() -> int:
    return leases.reclaim(timezone.now())

"""Celery: thin. Arguments are ids; each may run twice and finds nothing the second time."""

import logging
from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from datasets.models import Task

from . import leases, settlement

logger = logging.getLogger(__name__)

# Younger ones are likely in the queue still; what is older was lost on the way.
LOST_AFTER = timedelta(seconds=10)


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
def reclaim() -> int:
    return leases.reclaim(timezone.now())

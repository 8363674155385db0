"""Celery: thin. Arguments are ids; each may run twice and finds nothing the second time."""

import logging

from celery import shared_task
from django.utils import timezone

from datasets.models import Campaign

from .learning import refit as refits
from .lending import controls, leases
from .progress import agreement_figures, community
from .settling import queue, settlement

logger = logging.getLogger(__name__)

AT_ONCE = 25  # tasks whose rows are locked together: who answers one of them meanwhile waits
MOST = 10_000


@shared_task
def settle() -> int:
    """Settle all that waits for it; how many that was. The database alone tells what that is."""
    queue.begin()  # first: what is stored from now on may not be seen any more
    found, failed = 0, list[int]()
    while found < MOST and (some := _settle_some(failed)):
        found += some
    return found


def _settle_some(failed: list[int]) -> int:
    """Those that cannot be settled are added to `failed`, and keep no others waiting."""
    try:
        return len(settlement.settle_waiting(timezone.now(), AT_ONCE, failed))
    except Exception:
        logger.exception("tasks cannot be settled together; each is tried alone")
    some = settlement.waiting(AT_ONCE, failed)
    for task_id in some:
        try:
            settlement.settle(task_id, timezone.now())
        except Exception:
            logger.exception("task %s cannot be settled", task_id)
            failed.append(task_id)
    return len(some)


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
        agreement_figures.measure(campaign, timezone.now())


@shared_task
def measure_community() -> bool:
    return community.measure(timezone.now)


@shared_task
def reclaim() -> int:
    return leases.reclaim(timezone.now())

"""Celery: thin. Arguments are ids; each may run twice and finds nothing the second time."""

import logging
from functools import cache
from time import monotonic

from celery import shared_task
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from redis import Redis

from datasets.models import Campaign

from . import community, controls, figures, leases, settlement
from . import refit as refits

logger = logging.getLogger(__name__)

AT_ONCE = 25  # tasks whose rows are locked together: who answers one of them meanwhile waits
MOST = 10_000
# Whoever stores an answer asks a worker to look, unless somebody asked and none began yet. Should the broker
# lose that, others may ask after so many seconds; beat does in any case.
ASKED, SECONDS = "tagger:settling-asked", 5
GATHERED = 0.3  # seconds' answers are settled together: each message costs as much as settling several


def settle_soon() -> None:
    """Have a worker settle what waits for it, after the commit; a broker that is away is no error."""
    transaction.on_commit(_ask, robust=True)


_asked_at = -GATHERED  # by this process


def _ask() -> None:
    global _asked_at
    now = monotonic()
    if now < _asked_at + GATHERED / 2:  # nobody began yet, and whoever does will see what is stored by now
        return
    if _redis().set(ASKED, 1, ex=SECONDS, nx=True):
        settle.apply_async(countdown=GATHERED)
        _asked_at = now


# A volunteer waits no longer for a broker that hangs than Celery would.
WAITS = ("socket_connect_timeout", "socket_timeout")


@cache
def _redis() -> Redis:
    # Django's cache makes a client anew for each call, and that costs more than the call.
    waits = {name: settings.CELERY_BROKER_TRANSPORT_OPTIONS[name] for name in WAITS}
    return Redis.from_url(settings.REDIS_URL, **waits)


@shared_task
def settle() -> int:
    """Settle all that waits for it; how many that was. The database alone tells what that is."""
    _redis().delete(ASKED)  # first: what is stored from now on may not be seen any more
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
        figures.measure(campaign, timezone.now())


@shared_task
def measure_community() -> bool:
    return community.measure(timezone.now)


@shared_task
def reclaim() -> int:
    return leases.reclaim(timezone.now())

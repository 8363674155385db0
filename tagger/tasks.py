"""Celery tasks, thin: each calls an act, takes no arguments, and finds nothing to do when run again."""

import logging
from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from datasets.models import Campaign

from .figures import counting
from .learning import recomputing
from .learning import refit as refits
from .lending import controls, leases
from .progress import agreement_figures, community, teams
from .settling import queue, settlement, track_records
from .settling.settlement import BATCH_SIZE

logger = logging.getLogger(__name__)

MAX_TASKS = 10_000  # in one run
# For how long one run settles again what a refit changed, while no answer waits.
RECOMPUTING = timedelta(seconds=1.5)


@shared_task
def settle() -> int:
    """Settle all dirty tasks, as the database has them, then some that refits changed; returns how many."""
    queue.mark_begun()  # first: answers stored from now on may be missed here
    track_records.recount(timezone.now())
    settled, failed = 0, list[int]()
    while settled < MAX_TASKS and (some := _settle_some(failed)):
        settled += some
    return settled + _recompute(failed)


def _recompute(failed: list[int]) -> int:
    """For a moment, settle again what refits changed; answers that come meanwhile are settled first."""
    until, done = timezone.now() + RECOMPUTING, 0
    while timezone.now() < until and (number := _settle_some(failed) or recomputing.some(timezone.now())):
        done += number
    return done


def _settle_some(failed: list[int]) -> int:
    """Settle one batch. Tasks that cannot be settled are added to `failed` and do not block the others."""
    try:
        return len(settlement.settle_waiting(timezone.now(), BATCH_SIZE, failed))
    except Exception:
        logger.exception("a batch cannot be settled together; trying each task alone")
    some = settlement.waiting(BATCH_SIZE, failed)
    failed += settlement.settle_each_alone(some, timezone.now())
    return len(some)


@shared_task
def refit() -> int:
    """Refit every crowd; returns from how many annotations."""
    learned = 0
    for kind, language in refits.crowds():
        try:
            learned += refits.refit(kind, language, timezone.now())
        except Exception:  # one crowd that cannot be learned must not block the others
            logger.exception("the crowd of %s in %s cannot be learned", kind, language)
    return learned


@shared_task
def rotate_controls() -> int:
    """Once an hour; returns how many controls are in use afterwards."""
    return sum(controls.rotate(campaign, timezone.now()) for campaign in Campaign.objects.open())


@shared_task
def measure_agreement() -> None:
    """Once a night, for closed campaigns too."""
    for campaign in Campaign.objects.all():
        agreement_figures.measure(campaign, timezone.now())


@shared_task
def measure_community() -> bool:
    """Teams are counted once a day, whenever this finds that one is due."""
    teams.measure(timezone.now())
    return community.measure(timezone.now)


@shared_task
def count_campaigns() -> int:
    """Once a minute; returns how many were counted. With millions of clips, most runs find none due."""
    return counting.count_due(timezone.now)


@shared_task
def reclaim() -> int:
    return leases.reclaim(timezone.now())

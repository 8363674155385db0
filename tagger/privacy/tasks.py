"""Celery: thin. Arguments are ids; each may be killed anywhere and run again.

A room's own tasks, apart from `tagger/tasks.py`: a page that queues one need not load the consensus engine.
"""

import logging

from celery import shared_task
from django.utils import timezone

from accounts import audit, turnover
from datasets.models import Withdrawal

from . import keycopy, reconcile, withdrawal

logger = logging.getLogger(__name__)


@shared_task
def scrub(withdrawal_id: int) -> None:
    request = Withdrawal.objects.filter(pk=withdrawal_id, finished_at=None).first()
    if request is not None:
        withdrawal.scrub(request, timezone.now)


@shared_task
def scrub_unfinished() -> int:
    """What the broker lost, or a killed worker left; how many that were."""
    waiting = withdrawal.unfinished()
    for withdrawal_id in waiting:
        try:
            scrub(withdrawal_id)
        except Exception:  # one person's erasure that fails must not keep all others waiting
            logger.exception("withdrawal %s cannot be finished", withdrawal_id)
    return len(waiting)


@shared_task
def turn_over() -> int:
    """Once a day, if anybody left since the newest master key was made."""
    if not withdrawal.since_the_newest_master():
        return 0
    wrapped = turnover.turn_over(keycopy.clip_keys())
    audit.record(audit.Act.TURNED_OVER, f"{wrapped} keys", None, timezone.now())
    return wrapped


@shared_task
def destroy_unused_masters() -> list[str]:
    return turnover.destroy_unused(timezone.now())


@shared_task
def look_over_everything() -> None:
    reconcile.look(timezone.now())

"""Celery tasks, thin: arguments are ids, and each task may be killed at any point and run again.

They are not in `tagger/tasks.py`, so that a page that queues one need not load the consensus engine.
"""

import logging
import time

from celery import shared_task
from django.utils import timezone

from datasets.models import Withdrawal

from . import kept_answers, reconciler, rotation, withdrawal

logger = logging.getLogger(__name__)

SECONDS_OF_ROTATION = 20


@shared_task
def scrub(withdrawal_id: int) -> None:
    request = Withdrawal.objects.filter(pk=withdrawal_id, finished_at=None).first()
    if request is not None:
        withdrawal.scrub(request, timezone.now)


@shared_task
def scrub_unfinished() -> int:
    """Scrub what the broker lost or a killed worker left unfinished; returns how many there were."""
    waiting = withdrawal.unfinished()
    for withdrawal_id in waiting:
        try:
            scrub(withdrawal_id)
        except Exception:  # one erasure that fails must not keep all others waiting
            logger.exception("withdrawal %s cannot be finished", withdrawal_id)
    return len(waiting)


@shared_task
def unname_kept_answers() -> int:
    """Make the answers no one's that people left here before this was done; returns how many erasures."""
    waiting = kept_answers.owed()
    for request in Withdrawal.objects.filter(pk__in=waiting):
        try:
            withdrawal.unname_answers(request, timezone.now)
        except Exception:  # one that fails must not keep the others waiting
            logger.exception("the answers kept at withdrawal %s still name their person", request.pk)
    return len(waiting)


@shared_task
def rotate_master_key() -> None:
    """The next part of a key rotation, if one is due. It stops early, so that no erasure waits behind it."""
    until = time.monotonic() + SECONDS_OF_ROTATION
    rotation.advance(timezone.now(), lambda: time.monotonic() < until)


@shared_task
def reconcile() -> None:
    withdrawal.settle_journal(timezone.now())
    reconciler.reconcile(timezone.now())

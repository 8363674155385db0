"""Celery tasks, thin: arguments are ids, and each task may be killed at any point and run again.

They are not in `tagger/tasks.py`, so that a page that queues one need not load the consensus engine.
"""

import logging

from celery import shared_task
from django.utils import timezone

from accounts import audit, key_rotation
from datasets.models import Withdrawal

from . import kept_answers, key_copy, reconciler, withdrawal

logger = logging.getLogger(__name__)


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
def rotate_master_key() -> int:
    """Once a day, if anyone left since the newest master key was made."""
    if not withdrawal.is_key_rotation_due():
        return 0
    wrapped = key_rotation.rotate_master_key(key_copy.clip_key_lines())
    audit.record(audit.Act.ROTATED_KEY, f"{wrapped} keys", None, timezone.now())
    return wrapped


@shared_task
def destroy_unused_masters() -> list[str]:
    return key_rotation.destroy_unused_masters(timezone.now())


@shared_task
def reconcile() -> None:
    reconciler.reconcile(timezone.now())

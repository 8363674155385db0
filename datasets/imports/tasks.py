"""Celery tasks, thin: each calls an act, takes no arguments, and may be killed anywhere and run again."""

import time

from celery import shared_task
from django.utils import timezone

from . import ending, running

SECONDS = 10  # of one turn: then other imports, and whatever else waits for this worker


@shared_task
def proceed() -> None:
    """Add clips for a while, and ask for the next turn if anything is left."""
    until = time.monotonic() + SECONDS
    if running.proceed(timezone.now, lambda: time.monotonic() < until):
        proceed.delay()


@shared_task
def sweep() -> int:
    """Also goes on with what the broker lost or a killed worker left."""
    ended = ending.sweep(timezone.now())
    proceed()
    return ended

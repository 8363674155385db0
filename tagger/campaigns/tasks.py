"""Celery tasks of the owners' pages: each takes no arguments, and finds nothing to do when run again."""

from celery import shared_task
from django.utils import timezone

from . import recounts, release_orders


@shared_task
def recount() -> int:
    """Apply changed rules; returns how many tasks were looked at."""
    return recounts.run(timezone.now)


@shared_task
def make_releases() -> int:
    """Make the releases that owners asked for; returns how many."""
    return release_orders.make_all(timezone.now)

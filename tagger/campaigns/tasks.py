"""Celery tasks of the owners' pages: each takes no arguments, and finds nothing to do when run again."""

from celery import shared_task
from django.utils import timezone

from . import recounts


@shared_task
def recount() -> int:
    """Apply changed rules; returns how many tasks were looked at."""
    return recounts.run(timezone.now)

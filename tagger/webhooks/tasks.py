"""Celery tasks, thin: each calls an act, takes no arguments, and may be killed anywhere and run again."""

from celery import shared_task
from django.utils import timezone

from . import counts


@shared_task
def tell_counts() -> int:
    """Once a minute; returns for how many webhooks a quarter of an hour was over."""
    return counts.tell(timezone.now())

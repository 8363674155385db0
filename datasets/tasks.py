"""Celery: thin. Arguments are ids; each may be killed anywhere and run again."""

from celery import shared_task
from django.utils import timezone

from datasets.releases import recalls


@shared_task
def publish_recalls() -> int:
    """The day's publication; how many ids entered the feeds."""
    return recalls.publish(timezone.now())

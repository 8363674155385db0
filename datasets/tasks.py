"""Celery tasks of this app. Each only calls an act, and may be killed anywhere and run again."""

from celery import shared_task
from django.utils import timezone

from datasets.releases import recalls


@shared_task
def publish_recalls() -> int:
    """Publish today's recalls. Returns how many ids were added to the feeds."""
    return recalls.publish(timezone.now())

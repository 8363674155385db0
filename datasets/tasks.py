"""Celery tasks of this app. Each only calls an act, and may be killed anywhere and run again."""

import time

from celery import shared_task
from django.utils import timezone

from datasets.clips import measuring
from datasets.releases import planning, recalls

SECONDS = 5  # of measuring or planning at a time: then whatever else waits for this worker


@shared_task
def measure_clips() -> int:
    """Measure the quality of some clips. Returns of how many."""
    until = time.monotonic() + SECONDS
    return measuring.measure_some(lambda: time.monotonic() < until)


@shared_task
def publish_recalls() -> int:
    """Publish today's recalls. Returns how many ids were added to the feeds."""
    return recalls.publish(timezone.now())


@shared_task
def plan_archives() -> int:
    """Plan the archives of releases that are new, or changed with a recall feed. Returns how many."""
    until = time.monotonic() + SECONDS
    return planning.plan_some(lambda: time.monotonic() < until)

"""Celery tasks for reviewers."""

from celery import shared_task
from django.utils import timezone

from . import rises


@shared_task
def measure_reports() -> int:
    """Every few minutes; returns in how many campaigns reports began to rise."""
    return rises.measure(timezone.now())

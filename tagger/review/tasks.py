"""Celery tasks for reviewers."""

from celery import shared_task
from django.utils import timezone

from . import check_order, rises


@shared_task
def measure_reports() -> int:
    """Every few minutes; returns in how many campaigns reports began to rise."""
    return rises.measure(timezone.now())


@shared_task
def order_checks() -> int:
    """Every minute; returns for how many clips signs of something private were counted."""
    return check_order.count_signs()

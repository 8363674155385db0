"""Celery tasks for reviewers."""

from celery import shared_task
from django.utils import timezone

from datasets.models import Campaign

from . import blocking, check_order, findings, rises


@shared_task
def measure_reports() -> int:
    """Every few minutes; returns in how many campaigns reports began to rise."""
    return rises.measure(timezone.now())


@shared_task
def order_checks() -> int:
    """Every minute; returns for how many clips signs of something private were counted."""
    return check_order.count_signs()


@shared_task
def recount_blocking() -> int:
    """Every few minutes; returns how many items of the review queue began or ceased to block releases."""
    return blocking.recount()


@shared_task
def find_doubtful() -> int:
    """Once an hour; returns over how many settled tasks it opened items of the review queue."""
    now = timezone.now()
    return sum(findings.sweep(campaign, now) for campaign in Campaign.objects.open())

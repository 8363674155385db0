"""Celery tasks, thin: each calls an act, takes no arguments, and may be killed anywhere and run again."""

from celery import shared_task
from django.utils import timezone

from . import delivery


@shared_task
def deliver() -> int:
    """Returns how many attempts were made."""
    return delivery.deliver(timezone.now)


@shared_task
def forget_old() -> int:
    return delivery.forget_old(timezone.now())

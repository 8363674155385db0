"""Celery tasks, thin: each calls an act, takes no arguments, and may be killed anywhere and run again."""

from celery import shared_task
from django.utils import timezone

from . import sending


@shared_task
def send_letters() -> int:
    """Returns how many e-mails were sent."""
    return sending.send_owed(timezone.now)


@shared_task
def forget_letters() -> int:
    return sending.forget_old(timezone.now())

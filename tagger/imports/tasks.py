"""Celery tasks, thin: each calls an act, takes no arguments, and may be killed anywhere and run again."""

from celery import shared_task
from django.utils import timezone

from . import withdrawing


@shared_task
def undo() -> int:
    return withdrawing.undo_all(timezone.now)

"""The Celery task that says of its queue that a worker takes from it."""

from celery import shared_task
from django.utils import timezone

from . import seen


@shared_task
def note_queue(queue: str) -> None:
    seen.note(queue, timezone.now())

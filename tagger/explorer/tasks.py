"""Celery tasks for owners, thin: each finds nothing to do when it runs again."""

from celery import shared_task
from django.utils import timezone

from tagger.settling import person_weights

from . import counting, jobs


@shared_task
def work(pk: int) -> None:
    """Go on with an act on many clips, for a bounded time; then another run continues."""
    if jobs.work(pk, timezone.now()):
        work.delay(pk)


@shared_task
def resume() -> None:
    """In case the broker lost a request."""
    for pk in jobs.stalled(timezone.now()):
        work.delay(pk)


@shared_task
def recount() -> int:
    """Returns how many tasks are to be settled again, because the weight of somebody's answers changed."""
    return person_weights.recount(timezone.now())


@shared_task
def count_people() -> int:
    """The people of each campaign whose turn it is; returns of how many campaigns."""
    return counting.count_due(timezone.now)

"""Take back leases that ran out.

Not part of tagger.lending.assignments, which queues Celery tasks: a Celery task runs this.
"""

from collections import Counter
from datetime import datetime

from django.db import transaction
from django.db.models import F

from datasets.models import Task
from tagger.models import Assignment

BATCH_SIZE = 500


def reclaim(now: datetime) -> int:
    """Reclaim every lease that has run out; returns how many."""
    total = 0
    while reclaimed := _reclaim_batch(now):
        total += reclaimed
    return total


@transaction.atomic
def _reclaim_batch(now: datetime) -> int:
    late = list(
        Assignment.objects.filter(state=Assignment.State.LENT, expires_at__lte=now)
        .select_for_update(of=("task", "self"), skip_locked=True, no_key=True)
        .select_related("task")[:BATCH_SIZE]
    )
    Assignment.objects.filter(pk__in=[lease.pk for lease in late]).update(state=Assignment.State.EXPIRED)
    places = Counter(lease.task_id for lease in late if Assignment.Role(lease.role).takes_a_place)
    for task_id, number in places.items():
        Task.objects.filter(pk=task_id).update(lent_count=F("lent_count") - number)
    return len(late)

"""Take back what was lent and not handed in in time.

Apart from tagger.lending.assignments, because that queues tasks and a task runs this.
"""

from collections import Counter
from datetime import datetime

from django.db import transaction
from django.db.models import F

from datasets.models import Task
from tagger.models import Assignment

AT_ONCE = 500


def reclaim(now: datetime) -> int:
    """Reclaim every lease that ran out before `now`; how many that were."""
    total = 0
    while late := _reclaim_some(now):
        total += late
    return total


@transaction.atomic
def _reclaim_some(now: datetime) -> int:
    late = list(
        Assignment.objects.filter(state=Assignment.State.LENT, expires_at__lte=now)
        .select_for_update(of=("task", "self"), skip_locked=True, no_key=True)
        .select_related("task")[:AT_ONCE]
    )
    Assignment.objects.filter(pk__in=[lease.pk for lease in late]).update(state=Assignment.State.EXPIRED)
    places_held = Counter(lease.task_id for lease in late if Assignment.Role(lease.role).takes_a_place)
    for task_id, places in places_held.items():
        Task.objects.filter(pk=task_id).update(lent_count=F("lent_count") - places)
    return len(late)

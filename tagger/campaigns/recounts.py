"""A changed rule is applied to the clips that a campaign has. Only this and rules.py write Recount.

What is still to do is in the database: a worker that is killed loses one batch, and the next goes on there.
"""

from collections import Counter
from collections.abc import Callable
from datetime import datetime

from django.db import transaction

from datasets.models import Task
from tagger.models import Recount
from tagger.settling import settlement

from . import rules

BATCH_SIZE = 25  # tasks locked together: a volunteer who answers one of them waits for the whole batch
Status = Task.Status


def run(clock: Callable[[], datetime], most: int = 10_000) -> int:
    """Go on with what is not finished, up to `most` tasks; returns how many were looked at."""
    looked_at = 0
    for recount_id in Recount.objects.filter(finished_at=None).order_by("pk").values_list("pk", flat=True):
        while looked_at < most and (number := _step(recount_id, clock())):
            looked_at += number
    return looked_at


@transaction.atomic
def _step(recount_id: int, now: datetime) -> int:
    """One batch; 0 if it is finished, or another worker is at it."""
    recount = (
        Recount.objects.select_for_update(of=("self",), skip_locked=True, no_key=True)
        .select_related("campaign")
        .filter(pk=recount_id, finished_at=None)
        .first()
    )
    if recount is None:
        return 0
    to_do = rules.to_recount(recount.campaign, recount.last_task)
    batch = list(to_do.values_list("pk", "annotation_count")[:BATCH_SIZE])
    if not batch:
        recount.finished_at = now
        recount.save(update_fields=["finished_at"])
        return 0
    changed = settlement.settle_these([pk for pk, answers in batch if answers], now)
    # Lending asks for so many at first. Answers that come in the meantime raise it as they always do.
    unanswered = Task.objects.filter(pk__in=[pk for pk, answers in batch if not answers], annotation_count=0)
    unanswered.filter(status=Status.OPEN).update(wanted=recount.campaign.min_annotations)
    _count(recount, changed)
    recount.done += len(batch)
    recount.last_task = batch[-1][0]
    recount.save()
    return len(batch)


def _count(recount: Recount, changed: Counter[tuple[str, str]]) -> None:
    for (before, after), number in changed.items():
        if before != after:
            name = COUNTED_AS[after]
            setattr(recount, name, getattr(recount, name) + number)


COUNTED_AS: dict[str, str] = {
    Status.OPEN: "reopened",
    Status.SETTLED: "settled",
    Status.DISPUTED: "disputed",
}

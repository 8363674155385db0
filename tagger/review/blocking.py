"""Which open items keep a clip out of releases, for the filter of the queue; counted anew every few minutes.

An item keeps its clip out of a kind of release if the clip's speaker agreed to that kind, and

- a dispute: its task has no settled answer;
- a report: it hid the clip;
- a check before publication: the clip needs to be cleared. Public releases need that always, releases for
  researchers where the campaign says so.

Whether a release is planned is stored nowhere. So this says what the next one would lack, if it was made now.
A clip may have more than one such item, and may lack other things, too.
"""

from django.db import transaction
from django.db.models import Q

from accounts.models import Purpose
from datasets.models import Task, in_use_for
from tagger.models import ReviewItem, ReviewItemQuerySet

BATCH_SIZE = 1_000

Kind = ReviewItem.Kind
COLUMNS = {Purpose.PUBLIC: "blocks_public", Purpose.RESEARCHERS: "blocks_researchers"}


def recount() -> int:
    """Write for all open items what they block; returns how many changed."""
    return sum(_recount(purpose, column) for purpose, column in COLUMNS.items())


def _recount(purpose: Purpose, column: str) -> int:
    blocking = _blocking(purpose).values("pk")
    said = ReviewItem.objects.open().filter(**{column: True})
    unsaid = ReviewItem.objects.open().filter(**{column: False})
    return _write(unsaid.filter(pk__in=blocking), column, True) + _write(
        said.exclude(pk__in=blocking), column, False
    )


def _blocking(purpose: Purpose) -> ReviewItemQuerySet:
    undecided = Q(kind=Kind.DISPUTE) & ~Q(task__status=Task.Status.SETTLED)
    hidden = Q(kind=Kind.REPORT, clip__hidden_at__isnull=False)
    uncleared = Q(kind=Kind.CHECK)
    if purpose != Purpose.PUBLIC:
        uncleared &= Q(campaign__needs_clearing=True)
    return ReviewItem.objects.open().filter(in_use_for(purpose, "clip__"), undecided | hidden | uncleared)


def _write(wrong: ReviewItemQuerySet, column: str, blocks: bool) -> int:
    """In batches; items that a reviewer decides on at this moment are left to the next time."""
    pks, written = list(wrong.values_list("pk", flat=True)), 0
    for start in range(0, len(pks), BATCH_SIZE):
        with transaction.atomic():
            batch = ReviewItem.objects.filter(pk__in=pks[start : start + BATCH_SIZE])
            free = batch.select_for_update(skip_locked=True, no_key=True).values_list("pk", flat=True)
            written += ReviewItem.objects.filter(pk__in=list(free)).update(**{column: blocks})
    return written

"""Withdraws the clips of imports that are being undone, and people whose clips were imported.

Both through the one erasure there is. May be killed at any moment and run again.
"""

from collections.abc import Callable
from datetime import datetime

from django.db.models import Exists, OuterRef, QuerySet

from accounts.models import User
from datasets.imports import ending
from datasets.models import Campaign, Clip, Import, Task
from tagger.privacy import erasure, imported_people

BATCH_SIZE = 1_000


def undo_all(clock: Callable[[], datetime]) -> int:
    """Withdraw the clips of every import that is being undone; returns how many there were."""
    return sum(_undo(run, clock) for run in Import.objects.filter(state=Import.State.UNDOING).order_by("pk"))


def _undo(run: Import, clock: Callable[[], datetime]) -> int:
    number = 0
    while some := list(_clips(run).values_list("contributor", "pk")[:BATCH_SIZE]):
        contributor = some[0][0]
        clips = [pk for person, pk in some if person == contributor]
        erasure.erase_clips(User.objects.get(pk=contributor), clips, clock())
        number += len(clips)
    ending.undone(run)
    return number


def _clips(run: Import) -> QuerySet[Clip]:
    """Those that it added, and that nobody withdrew yet."""
    return run.clips.filter(withdrawal=None).order_by("contributor", "pk")


def withdraw_people(
    campaign: Campaign, collection: str, speaker: str | None, by: User, now: datetime
) -> list[imported_people.Withdrawn]:
    """Withdraw one speaker of a collection, or everybody in it, with all of their clips.

    Only people with a clip in this campaign: no owner withdraws what others brought elsewhere.
    """
    here = Exists(Task.objects.filter(campaign=campaign, clip__contributor=OuterRef("pk")))
    return imported_people.withdraw(collection, speaker, by, now, among=User.objects.filter(here))

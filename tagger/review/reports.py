"""Reported clips: hidden from everyone until a reviewer has heard them."""

from datetime import datetime

from django.contrib.postgres.aggregates import ArrayAgg
from django.db import transaction
from django.db.models import Prefetch, Q, QuerySet

from accounts import audit
from accounts.models import Purpose, User
from datasets.models import Clip
from tagger.models import Assignment


def open_for(reviewer: User) -> QuerySet[Clip]:
    """Clips hidden by a report, oldest first, with the reports' `reasons`; never the reviewer's own.

    Each of their tasks has `marked`: the reports that mark a part of the clip.
    """
    has_reason = Q(tasks__assignments__reason__gt="")
    return (
        Clip.objects.hidden_for(Purpose.VOLUNTEERS)
        .exclude(contributor=reviewer)
        .annotate(
            reasons=ArrayAgg("tasks__assignments__reason", filter=has_reason, distinct=True, default=[])
        )
        .prefetch_related(
            Prefetch(
                "tasks__assignments",
                Assignment.objects.filter(part_to__isnull=False).order_by("part_from"),
                to_attr="marked",
            )
        )
        .order_by("hidden_at", "id")
    )


@transaction.atomic
def dismiss(clip: Clip, reviewer: User, now: datetime) -> None:
    """Show the clip again: the reviewer found nothing wrong with it."""
    audit.record(audit.Act.DISMISSED, f"clip {clip.pk}", reviewer, now)
    Clip.objects.filter(pk=clip.pk).update(hidden_at=None)

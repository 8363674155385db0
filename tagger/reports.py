"""Clips that a volunteer reported: hidden from everyone until a reviewer has heard them."""

from datetime import datetime

from django.contrib.postgres.aggregates import ArrayAgg
from django.db import transaction
from django.db.models import Q, QuerySet

from accounts import audit
from accounts.consent import live_for
from accounts.models import Purpose, User
from datasets.models import Clip


def open_for(reviewer: User) -> QuerySet[Clip]:
    """Hidden clips, oldest first, with the `reasons` given; never the reviewer's own."""
    given = Q(tasks__assignments__reason__gt="")
    return (
        Clip.objects.filter(
            live_for("contributor", "material", Purpose.VOLUNTEERS), hidden_at__isnull=False, withdrawal=None
        )
        .exclude(contributor=reviewer)
        .annotate(reasons=ArrayAgg("tasks__assignments__reason", filter=given, distinct=True, default=[]))
        .order_by("hidden_at", "id")
    )


@transaction.atomic
def dismiss(clip: Clip, reviewer: User, now: datetime) -> None:
    """A reviewer finds nothing wrong with it."""
    audit.record(audit.Act.DISMISSED, f"clip {clip.pk}", reviewer, now)
    Clip.objects.filter(pk=clip.pk).update(hidden_at=None)

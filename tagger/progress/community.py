"""The progress of all campaigns and volunteers together: the only writer of Community and Counted.

Counting whole tables takes seconds when there are millions of tasks. So a worker counts, and pages read the
few rows that it stores. The longer counting takes, the less often it is done.
"""

from collections.abc import Callable
from datetime import datetime

from django.db import transaction
from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from accounts.models import User
from datasets.campaigns import SETTLED, with_progress
from datasets.models import Annotation, Campaign, Release
from tagger import turns
from tagger.models import Community, Counted

from . import days, queries

WEEK = 7  # days, today included

# The columns of Community that are sums over all campaigns.
SUMMED = ("answers", "settled", "settled_today", "settled_this_week", "seconds_settled")


def latest(now: datetime) -> Community | None:
    """The last count; None before the first one."""
    community = Community.objects.exclude(measured_at=None).first()
    if community and community.measured_at and community.measured_at < days.start_of_day(now):
        community.settled_today = 0  # the count is from an earlier day
    return community


@transaction.atomic
def measure(clock: Callable[[], datetime]) -> bool:
    """Count again, if it is due and no other worker is counting. Returns whether it counted."""
    Community.objects.get_or_create(pk=Community.ONLY)
    community = Community.objects.select_for_update(skip_locked=True, no_key=True).first()
    now = clock()
    if community is None or not turns.is_due(community, now):
        return False
    week = days.last(WEEK, now)
    campaigns = list(_campaigns(today=week[0][0], this_week=week[-1][0]))
    for name in SUMMED:
        setattr(community, name, sum(getattr(campaign, name) for campaign in campaigns))
    community.volunteers_this_week = _volunteers(since=week[-1][0])
    community.releases = Release.objects.count()
    community.measured_at, community.took = now, (clock() - now).total_seconds()
    community.save()
    _store_counts(campaigns)
    return True


def _campaigns(today: datetime, this_week: datetime) -> QuerySet[Campaign]:
    """All campaigns, closed ones too, with their tasks counted in one pass over tasks and clips."""
    return with_progress(Campaign.objects.all()).annotate(
        answers=Coalesce(Sum("tasks__annotation_count"), 0),
        settled_today=Count("tasks", filter=SETTLED & Q(tasks__settled_at__gte=today)),
        settled_this_week=Count("tasks", filter=SETTLED & Q(tasks__settled_at__gte=this_week)),
        seconds_settled=Coalesce(Sum(F("tasks__clip__seconds"), filter=SETTLED), 0.0),
    )


def _volunteers(since: datetime) -> int:
    """How many people gave an answer since then: one index look-up per person."""
    [[number]] = queries.rows(VOLUNTEERS, [since])
    return int(number)


# LIMIT 1 stops PostgreSQL from reading all answers of a person to find out whether there is one.
VOLUNTEERS = f"""
    SELECT count(*) FROM {User._meta.db_table} person CROSS JOIN LATERAL (
        SELECT FROM {Annotation._meta.db_table} given
        WHERE given.annotator_id = person.id AND given.created_at >= %s LIMIT 1
    ) one_of_theirs
    WHERE person.is_active
"""


def _store_counts(campaigns: list[Campaign]) -> None:
    columns = ("clips", "settled", "disputed")
    Counted.objects.bulk_create(
        [
            Counted(campaign=campaign, **{name: getattr(campaign, name) for name in columns})
            for campaign in campaigns
        ],
        update_conflicts=True,
        unique_fields=["campaign"],
        update_fields=columns,
    )

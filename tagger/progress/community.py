"""How far everybody has come together: the only writer of Community and Counted.

Pages read these few rows: counting whole tables takes seconds when there are millions of tasks. A worker
counts instead, and the longer that takes the more seldom.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from accounts.models import User
from datasets.campaigns import SETTLED, with_progress
from datasets.models import Annotation, Campaign, Release
from tagger.models import Community, Counted

from . import days

# Of all the time, counting takes one part in so many at most.
SHARE = 60
WEEK = 7  # days; today is one of them

# The columns of Community that are sums over all campaigns.
SUMS = ("answers", "settled", "settled_today", "settled_this_week", "seconds_settled")


def figures(now: datetime) -> Community | None:
    """What was counted last; None before the first time."""
    found = Community.objects.exclude(measured_at=None).first()
    if found and found.measured_at and found.measured_at < days.start(now):
        found.settled_today = 0  # that was another day
    return found


def open_campaigns() -> QuerySet[Campaign]:
    """Each with its row `counted`, which only those lack that are newer than the last count."""
    return Campaign.objects.filter(is_open=True).select_related("counted")


@transaction.atomic
def measure(clock: Callable[[], datetime]) -> bool:
    """Count anew, if it is time for it and nobody else does; whether it was done."""
    Community.objects.get_or_create(pk=Community.ONLY)
    held = Community.objects.select_for_update(skip_locked=True, no_key=True).first()
    now = clock()
    if held is None or not _is_due(held, now):
        return False
    week = days.last(WEEK, now)
    campaigns = list(_campaigns(today=week[0][0], this_week=week[-1][0]))
    for name in SUMS:
        setattr(held, name, sum(getattr(campaign, name) for campaign in campaigns))
    held.volunteers_this_week = _volunteers(since=week[-1][0])
    held.releases = Release.objects.count()
    held.measured_at, held.took = now, (clock() - now).total_seconds()
    held.save()
    _keep(campaigns)
    return True


def _is_due(held: Community, now: datetime) -> bool:
    return held.measured_at is None or now >= held.measured_at + SHARE * timedelta(seconds=held.took)


def _campaigns(today: datetime, this_week: datetime) -> QuerySet[Campaign]:
    """All campaigns, also closed ones, with their tasks counted: one pass over tasks and clips."""
    return with_progress(Campaign.objects.all()).annotate(
        answers=Coalesce(Sum("tasks__annotation_count"), 0),
        settled_today=Count("tasks", filter=SETTLED & Q(tasks__settled_at__gte=today)),
        settled_this_week=Count("tasks", filter=SETTLED & Q(tasks__settled_at__gte=this_week)),
        seconds_settled=Coalesce(Sum(F("tasks__clip__seconds"), filter=SETTLED), 0.0),
    )


def _volunteers(since: datetime) -> int:
    """How many people gave an answer since then: one look into an index for each person."""
    with connection.cursor() as cursor:
        cursor.execute(VOLUNTEERS, [since])
        return int(cursor.fetchone()[0])


# The limit keeps the database from reading everybody's answers to find out who gave any.
VOLUNTEERS = f"""
    SELECT count(*) FROM {User._meta.db_table} person CROSS JOIN LATERAL (
        SELECT FROM {Annotation._meta.db_table} given
        WHERE given.annotator_id = person.id AND given.created_at >= %s LIMIT 1
    ) one_of_theirs
    WHERE person.is_active
"""


def _keep(campaigns: list[Campaign]) -> None:
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

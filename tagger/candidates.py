"""Which tasks one annotator may be lent next, found by looking at few index entries however many there are.

Tasks of one campaign stand in an index by how near they are to done, by priority, and then by a place drawn
by lot. From a random place on a short stretch is looked at, so that whoever answered a hundred thousand of
them already does not wade through those, and people who come at once do not meet. Only when short stretches
do not hold enough is everything looked through.
"""

from django.db import connection
from django.db.models import Case, Exists, F, OuterRef, QuerySet, When

from accounts.models import Purpose, User
from datasets.models import MOST_SPREAD, Campaign, Task

from . import controls
from .models import Assignment

STRETCHES = 100, 1_000


def find(annotator: User, campaign: Campaign, used_up: list[int], count: int) -> list[Task]:
    """Up to `count` tasks, locked: nearest to done first, then by priority, then from a random place on.

    Passes over what others hold at this moment, what this annotator ever had, and clips by who is `used_up`.
    """
    wanted = _for(annotator, campaign, used_up)
    found: list[Task] = []
    places = _places(campaign)
    for stretch in STRETCHES:
        start = controls.dice.randint(0, MOST_SPREAD)
        for answered, priority in places:
            equals = Task.objects.filter(
                campaign=campaign, status="open", annotation_count=answered, priority=priority
            ).order_by("spread")
            on, from_the_first = equals.filter(spread__gte=start), equals.filter(spread__lt=start)
            after_the_end = Case(When(spread__gte=start, then=0), default=1)
            near = on.values("pk")[:stretch].union(from_the_first.values("pk")[:stretch], all=True)
            found += _lock(wanted.filter(pk__in=near).order_by(after_the_end, "spread"), found, count)
            if len(found) >= count:
                return found
    in_order = wanted.order_by(F("annotation_count").desc(), "priority", "spread")
    return found + _lock(in_order, found, count)


def _for(annotator: User, campaign: Campaign, used_up: list[int]) -> QuerySet[Task]:
    mine = Assignment.objects.filter(task=OuterRef("pk"), annotator=annotator)
    return (
        Task.objects.live_for(Purpose.VOLUNTEERS)
        .wanting()
        .filter(~Exists(mine.exclude(state=Assignment.State.EXPIRED)), campaign=campaign)
        .exclude(clip__contributor=annotator)
        .exclude(clip__contributor__in=used_up)
        .select_related("clip")
    )


def _lock(some: QuerySet[Task], found: list[Task], count: int) -> list[Task]:
    others = some.exclude(pk__in=[task.pk for task in found]) if found else some
    # Locked rows are passed over, and so nobody waits for anybody.
    return list(others.select_for_update(of=("self",), skip_locked=True, no_key=True)[: count - len(found)])


def _places(campaign: Campaign) -> list[tuple[int, int]]:
    """Every (number of annotations, priority) that an open task of the campaign has, in lending order."""
    with connection.cursor() as cursor:
        cursor.execute(PLACES, {"campaign": campaign.pk, "most": campaign.max_annotations})
        return cursor.fetchall()


# From each place on to the next: one look into the index for each, whatever lies between them.
PLACES = f"""
    WITH RECURSIVE places AS (
        SELECT answered, (
            SELECT min(priority) FROM {Task._meta.db_table}
            WHERE campaign_id = %(campaign)s AND status = 'open' AND annotation_count = answered
        ) AS priority
        FROM generate_series(0, %(most)s - 1) AS answered
        UNION ALL
        SELECT answered, (
            SELECT min(task.priority) FROM {Task._meta.db_table} task
            WHERE campaign_id = %(campaign)s AND status = 'open' AND annotation_count = answered
                  AND task.priority > places.priority
        )
        FROM places WHERE places.priority IS NOT NULL
    )
    SELECT answered, priority FROM places WHERE priority IS NOT NULL ORDER BY answered DESC, priority
"""

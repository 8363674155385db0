"""Which tasks one annotator may be lent next, found by looking at few index entries however many there are.

Tasks of one campaign stand in an index by how near they are to done, by priority, and then by a place drawn
by lot. From a random place on a short stretch is looked at, so that whoever answered a hundred thousand of
them already does not wade through those, and people who come at once do not meet. When that does not hold
enough, longer ones are, up to a length that no campaign's size changes: whoever answered nearly all of a
million tasks finds one of the others by chance, and everybody finds the last of a hundred thousand.
"""

from functools import cache

from django.db import OperationalError, connection, transaction

from accounts.models import Purpose, User
from datasets import live
from datasets.models import MOST_SPREAD, Campaign, Clip, Task
from tagger.models import Assignment

from . import controls

SHORT = 3, 100  # for each task that is wanted
LONGEST = 100_000
FEW = 4
LONGEST_WAIT = "700ms"  # before the database looks for deadlocks: an answer that comes late may wait for us


def find(annotator: User, campaign: Campaign, used_up: list[int], count: int) -> list[Task]:
    """Up to `count` tasks, locked: nearest to done first, then by priority, then from a random place on.

    Passes over what others hold at this moment, what this annotator ever had, and clips by who is `used_up`.
    Of each task its clip's contributor and seconds are known, and the rest when it is asked for.
    """
    found: list[Task] = []
    for stretch in (*(each * count for each in SHORT), LONGEST):
        found += _lock(annotator, campaign, used_up, stretch, found, count)
        if len(found) >= count:
            break
    if not found and _waited_for_one(annotator, campaign, used_up):
        # What was asked before the wait is asked anew: somebody may have had it meanwhile.
        found = _lock(annotator, campaign, used_up, LONGEST, [], count)
    return found


def _waited_for_one(annotator: User, campaign: Campaign, used_up: list[int]) -> bool:
    """Nothing is free: perhaps all that is left is being settled or handed in at this moment.

    Who waits holds no task, and not for long, so that nobody waits for each other.
    """
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = %s", [LONGEST_WAIT])
            found = _lock(annotator, campaign, used_up, LONGEST, [], 1, passing_over="")
            cursor.execute("SET LOCAL lock_timeout = 0")
            return bool(found)
    except OperationalError:
        return False


def _lock(
    annotator: User,
    campaign: Campaign,
    used_up: list[int],
    stretch: int,
    found: list[Task],
    count: int,
    passing_over: str = "SKIP LOCKED",
) -> list[Task]:
    start = controls.dice.randint(0, MOST_SPREAD)
    here = (start, stretch, start, stretch, stretch, FEW * stretch)
    known = (annotator.pk, used_up, [task.pk for task in found], annotator.pk, Assignment.State.EXPIRED)
    with connection.cursor() as cursor:
        near = (campaign.pk, campaign.max_annotations, *here)
        cursor.execute(_wanted() + passing_over, (*near, campaign.pk, *known, start, count - len(found)))
        return [controls.lendable(campaign, row) for row in cursor.fetchall()]


@cache
def _wanted() -> str:
    return WANTED.format(near=NEAR, live=live.tasks(Purpose.VOLUNTEERS, "near.id"))


# Consent, and whether somebody had a task, is asked of those that are near and of no others: they may have
# had a hundred thousand. Locked rows are passed over, and so nobody waits for anybody.
WANTED = f"""
    WITH near AS MATERIALIZED ({{near}})
    SELECT task.id, clip.id, clip.contributor_id, clip.seconds
    FROM near JOIN {Task._meta.db_table} task ON task.id = near.id
    JOIN {Clip._meta.db_table} clip ON clip.id = task.clip_id
    WHERE task.campaign_id = %s AND task.status = 'open'
        AND task.annotation_count < task.wanted - task.lent_count
        AND clip.contributor_id <> %s AND clip.contributor_id <> ALL(%s) AND near.id <> ALL(%s)
        AND CASE WHEN EXISTS (
            SELECT FROM {Assignment._meta.db_table} had
            WHERE had.task_id = near.id AND had.annotator_id = %s AND had.state <> %s
        ) THEN false ELSE true END
        AND {{live}}
    ORDER BY task.annotation_count DESC, task.priority, task.spread < %s, task.spread
    LIMIT %s FOR NO KEY UPDATE OF task """


# From each (number of annotations, priority) on to the next, one look into the index for each, whatever lies
# between them. Behind the last place comes the first. Of stretches like these a few are enough.
NEAR = f"""
    WITH RECURSIVE task AS NOT MATERIALIZED (
        SELECT id, annotation_count, priority, spread FROM {Task._meta.db_table}
        WHERE campaign_id = %s AND status = 'open'
    ), places AS (
        SELECT answered, (SELECT min(priority) FROM task WHERE annotation_count = answered) AS priority
        FROM generate_series(0, %s - 1) AS answered
        UNION ALL
        SELECT answered, (
            SELECT min(task.priority) FROM task
            WHERE annotation_count = answered AND task.priority > places.priority
        )
        FROM places WHERE places.priority IS NOT NULL
    )
    SELECT near.id
    FROM (SELECT * FROM places WHERE priority IS NOT NULL ORDER BY answered DESC, priority) places
    CROSS JOIN LATERAL (
        (
            SELECT id FROM task
            WHERE annotation_count = answered AND task.priority = places.priority AND spread >= %s
            ORDER BY spread LIMIT %s
        ) UNION ALL (
            SELECT id FROM task
            WHERE annotation_count = answered AND task.priority = places.priority AND spread < %s
            ORDER BY spread LIMIT %s
        ) LIMIT %s
    ) near LIMIT %s
"""

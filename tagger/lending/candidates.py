"""The tasks that an annotator may be lent next, found through few index entries in campaigns of any size.

An index lists a campaign's tasks by number of annotations, then priority, then a random value, `spread`. A
short stretch of it is read from a random point on. So an annotator with a hundred thousand answers does not
wade through those tasks, and requests at the same moment get different tasks. If the stretch has too few
tasks, longer ones are read, up to a fixed length. An annotator always finds the last of a hundred thousand
tasks; one who has answered nearly all of a million finds one of the rest by chance.
"""

from collections.abc import Sequence
from functools import cache

from django.db import OperationalError, connection, transaction

from accounts import prepared
from accounts.models import Purpose, User
from datasets import live
from datasets.models import MAX_SPREAD, Campaign, Clip, Task
from tagger.models import Assignment, PersonWeight
from tagger.settling import track_records

from . import controls

STRETCHES = 3, 100  # index entries for each task to find
LONGEST_STRETCH = 100_000
MAX_STRETCHES = 4  # of one length, each with another number of annotations or another priority
# Shorter than PostgreSQL's deadlock_timeout: a late answer may be waiting for this transaction.
LOCK_TIMEOUT = "700ms"


def find(
    annotator: User, campaign: Campaign, over_cap: list[int], count: int, chosen: Sequence[Task] = ()
) -> list[Task]:
    """Up to `count` tasks, locked: nearest to done first, then by priority, then from a random point on.

    Leaves out tasks that others have locked, tasks that this annotator already had, those already `chosen`,
    and clips of contributors in `over_cap`. The tasks come with their clips' contributor and seconds; other
    fields load on access.
    """
    pools, found = _pools(annotator, campaign), list[Task]()
    for pool in pools:
        for stretch in (*(each * count for each in STRETCHES), LONGEST_STRETCH):
            found += _lock(
                pool, annotator, campaign, over_cap, stretch, [*chosen, *found], count - len(found)
            )
            if len(found) >= count:
                return found
    for pool in pools:
        if not found and not chosen and _wait_for_one(pool, annotator, campaign, over_cap):
            # Search again: while this waited, another annotator may have taken the task.
            found = _lock(pool, annotator, campaign, over_cap, LONGEST_STRETCH, [], count)
    return found


def _pools(annotator: User, campaign: Campaign) -> list[bool]:
    """In order, whether to look among the tasks that await a track record.

    Whoever has one gets these first: one answer settles them. New people get them last, because their
    answers do not, and a new site would ask seven of them where two are enough.
    """
    if not campaign.needs_track_record:
        return [False]
    if prepared.one("any_awaiting_a_record", ANY_AWAITING, (campaign.pk,)) is None:
        return [False]
    return [True, False] if track_records.may_help(annotator, campaign) else [False, True]


ANY_AWAITING = f"""
    SELECT 1 FROM {Task._meta.db_table} WHERE campaign_id = %s AND status = 'open' AND awaits_record LIMIT 1
"""


def _wait_for_one(pool: bool, annotator: User, campaign: Campaign, over_cap: list[int]) -> bool:
    """Wait for a locked task: perhaps all that is left is being settled or handed in at this moment.

    A transaction that waits here has locked no task, and gives up after LOCK_TIMEOUT, so no deadlock lasts.
    """
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = %s", [LOCK_TIMEOUT])
            found = _lock(pool, annotator, campaign, over_cap, LONGEST_STRETCH, [], 1, if_locked="")
            cursor.execute("SET LOCAL lock_timeout = 0")
            return bool(found)
    except OperationalError:
        return False


def _lock(
    pool: bool,
    annotator: User,
    campaign: Campaign,
    over_cap: list[int],
    stretch: int,
    left_out: list[Task],
    count: int,
    if_locked: str = "SKIP LOCKED",
) -> list[Task]:
    start = controls.dice.randint(0, MAX_SPREAD)
    bounds = (start, stretch, start, stretch, stretch, MAX_STRETCHES * stretch)
    values = (annotator.pk, over_cap, [task.pk for task in left_out], annotator.pk, Assignment.State.EXPIRED)
    with connection.cursor() as cursor:
        near = (campaign.pk, campaign.max_annotations, campaign.pk, campaign.pk, *bounds)
        cursor.execute(_candidates(pool) + if_locked, (*near, campaign.pk, *values, start, count))
        return [controls.lendable(campaign, row) for row in cursor.fetchall()]


@cache
def _candidates(pool: bool) -> str:
    return CANDIDATES.format(near=near(pool), live=live.task_condition(Purpose.VOLUNTEERS, "near.id"))


def near(pool: bool) -> str:
    # Written out and not a value, because only so does the condition match that of a partial index.
    return NEAR.format(pool="awaits_record" if pool else "NOT awaits_record")


# Only the tasks that are near are checked for consent and for whether the annotator had them: in all they may
# have had a hundred thousand. With SKIP LOCKED, no request waits for another.
CANDIDATES = f"""
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


# Steps through the pairs of number of annotations and priority that exist, with one index lookup for each,
# and reads a stretch of each. After the largest `spread` it continues from the smallest. For each answer that
# has no weight, one more is asked for.
NEAR = f"""
    WITH RECURSIVE task AS NOT MATERIALIZED (
        SELECT id, annotation_count, priority, spread FROM {Task._meta.db_table}
        WHERE campaign_id = %s AND status = 'open' AND {{pool}}
    ), pairs AS (
        SELECT answered, (SELECT min(priority) FROM task WHERE annotation_count = answered) AS priority
        FROM generate_series(0, GREATEST(%s, (
            SELECT max(wanted_by_reviewer) FROM {Task._meta.db_table}
            WHERE campaign_id = %s AND wanted_by_reviewer > 0 AND status = 'open'
        )) + (
            SELECT count(*)::integer FROM {PersonWeight._meta.db_table} WHERE campaign_id = %s AND factor = 0
        ) - 1) AS answered
        UNION ALL
        SELECT answered, (
            SELECT min(task.priority) FROM task
            WHERE annotation_count = answered AND task.priority > pairs.priority
        )
        FROM pairs WHERE pairs.priority IS NOT NULL
    )
    SELECT near.id
    FROM (SELECT * FROM pairs WHERE priority IS NOT NULL ORDER BY answered DESC, priority) pairs
    CROSS JOIN LATERAL (
        (
            SELECT id FROM task
            WHERE annotation_count = answered AND task.priority = pairs.priority AND spread >= %s
            ORDER BY spread LIMIT %s
        ) UNION ALL (
            SELECT id FROM task
            WHERE annotation_count = answered AND task.priority = pairs.priority AND spread < %s
            ORDER BY spread LIMIT %s
        ) LIMIT %s
    ) near LIMIT %s
"""

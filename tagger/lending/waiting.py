"""Which campaigns have a clip for an annotator now, found in one statement for all open campaigns.

It looks at what `candidates` looks at, and at the clips that are lent to them already. Of each campaign it
begins with the tasks that have the fewest annotations, as this annotator has answered the fewest of those.
"""

from datetime import datetime, timedelta
from functools import cache

from django.db import connection

from accounts.models import Purpose, User
from datasets import live, taking_part
from datasets.models import Campaign, Clip, Task
from tagger.models import Assignment

# Of each campaign, this many index entries are looked at. A campaign with more open tasks than that counts as
# waiting: it may have one, and its page looks further.
MOST_LOOKED_AT = 10_000


def campaigns(annotator: User, now: datetime) -> set[int]:
    """The open campaigns that have a clip for this annotator: lent to them already, or one to lend."""
    person, end = annotator.pk, MOST_LOOKED_AT
    look = (end, person, person, Assignment.State.EXPIRED, end)
    knows = annotator.languages or []
    values = (
        person,
        now - timedelta(days=1),
        person,
        Assignment.State.LENT,
        now,
        knows,
        person,
        *look,
        *look,
    )
    with connection.cursor() as cursor:
        cursor.execute(_statement(), values)
        return {campaign for (campaign,) in cursor.fetchall()}


@cache
def _statement() -> str:
    condition = {name: live.task_condition(Purpose.VOLUNTEERS, f"{name}.id") for name in ("task", "near")}
    pools = [
        HAS_ONE.format(pool=pool, live=condition["near"]) for pool in ("NOT awaits_record", "awaits_record")
    ]
    return WAITING.format(
        takes_part=taking_part.CONDITION, live=condition["task"], others=pools[0], awaiting=pools[1]
    )


# The pool is written out and not a value, because only so does the condition match that of a partial index.
# `OFFSET 0` looks each task up: otherwise everything that this annotator ever had may be read. The second
# ORDER BY keeps to the index: otherwise the whole table may be read, where a campaign has fewer tasks than
# expected.
HAS_ONE = f"""(
    EXISTS (
        SELECT FROM (
            SELECT id, clip_id, annotation_count, wanted, lent_count FROM {Task._meta.db_table}
            WHERE campaign_id = campaign.id AND status = 'open' AND {{pool}}
            ORDER BY annotation_count, priority DESC, spread DESC LIMIT %s
        ) near
        JOIN {Clip._meta.db_table} clip ON clip.id = near.clip_id
        WHERE near.annotation_count < near.wanted - near.lent_count AND clip.contributor_id <> %s
            AND (campaign.id, clip.contributor_id) NOT IN (SELECT campaign_id, contributor_id FROM capped)
            AND NOT EXISTS (
                SELECT FROM {Assignment._meta.db_table} had
                WHERE had.task_id = near.id AND had.annotator_id = %s AND had.state <> %s OFFSET 0
            )
            AND {{live}}
    ) OR EXISTS (
        SELECT FROM {Task._meta.db_table}
        WHERE campaign_id = campaign.id AND status = 'open' AND {{pool}}
        ORDER BY annotation_count, priority DESC, spread DESC OFFSET %s LIMIT 1
    )
)"""

# `capped`: the contributors of whom this annotator may hear no more clips in this campaign today.
WAITING = f"""
    WITH capped AS MATERIALIZED (
        SELECT task.campaign_id, clip.contributor_id
        FROM {Assignment._meta.db_table} lent
        JOIN {Task._meta.db_table} task ON task.id = lent.task_id
        JOIN {Campaign._meta.db_table} campaign ON campaign.id = task.campaign_id
        JOIN {Clip._meta.db_table} clip ON clip.id = task.clip_id
        WHERE lent.annotator_id = %s AND lent.lent_at > %s AND campaign.contributor_cap IS NOT NULL
        GROUP BY task.campaign_id, clip.contributor_id, campaign.contributor_cap
        HAVING count(*) >= campaign.contributor_cap
    ), lent AS MATERIALIZED (
        SELECT task.campaign_id FROM {Assignment._meta.db_table} lent
        JOIN {Task._meta.db_table} task ON task.id = lent.task_id
        WHERE lent.annotator_id = %s AND lent.state = %s AND lent.expires_at > %s AND {{live}}
    )
    SELECT campaign.id FROM {Campaign._meta.db_table} campaign
    WHERE campaign.stage = 'open' AND {{takes_part}} AND (
        campaign.id IN (SELECT campaign_id FROM lent) OR {{others}}
        OR campaign.needs_track_record AND {{awaiting}}
    )
"""

"""Answers that were handed in too fast for their clips to have been heard."""

from datetime import datetime, timedelta

from django.db import connection

from datasets.models import Annotation, Campaign, Clip, Task
from tagger.models import Assignment

# A batch handed in within less than this share of its clips' duration was too fast.
TOO_FAST = 0.5
PERIOD = timedelta(days=30)


def too_fast_shares(kind: str, language: str, now: datetime) -> dict[int, float]:
    """Each annotator's share of answers, 0 to 1, that came too fast in the last `PERIOD`.

    Judged by batches, the tasks that were lent together: a volunteer who works offline hands in all of them
    within a moment, long after they were lent.
    """
    with connection.cursor() as cursor:
        cursor.execute(SHARES, [kind, language, now - PERIOD, TOO_FAST])
        return dict(cursor.fetchall())


# Only names of tables are formatted in; values go through the cursor.
SHARES = f"""
    WITH batches AS (
        SELECT given.annotator_id, count(*) AS answers, sum(clip.seconds) AS seconds,
               extract(epoch FROM max(given.created_at) - lent.lent_at) AS took
        FROM {Assignment._meta.db_table} lent
        JOIN {Annotation._meta.db_table} given USING (task_id, annotator_id)
        JOIN {Task._meta.db_table} task ON task.id = lent.task_id
        JOIN {Campaign._meta.db_table} campaign ON campaign.id = task.campaign_id
        JOIN {Clip._meta.db_table} clip ON clip.id = task.clip_id
        WHERE campaign.kind = %s AND campaign.language = %s
              AND lent.role <> 'repeat' AND lent.state = 'done' AND lent.lent_at > %s
        GROUP BY given.annotator_id, lent.lent_at
    )
    SELECT annotator_id, coalesce(sum(answers) FILTER (WHERE took < %s * seconds), 0)::float / sum(answers)
    FROM batches GROUP BY annotator_id
"""

"""Who hands in answers sooner than their sound can be heard."""

from datetime import datetime, timedelta

from django.db import connection

from datasets.models import Annotation, Campaign, Clip, Task
from tagger.models import Assignment

# Whoever hands in a batch in less than this share of its sound cannot have heard it.
HURRIED = 0.5
LOOKED_BACK = timedelta(days=30)


def shares(kind: str, language: str, now: datetime) -> dict[int, float]:
    """The share of hurried answers of each annotator of a crowd, from 0 to 1, lately.

    Judged by what was lent together: who works without a network hands in late and all at once.
    """
    with connection.cursor() as cursor:
        cursor.execute(BATCHES, [kind, language, now - LOOKED_BACK, HURRIED])
        return dict(cursor.fetchall())


# No words of a person's go into it: names of tables, and what the cursor is handed.
BATCHES = f"""
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

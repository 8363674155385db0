"""Answers that were handed in too fast for their clips to have been heard."""

from dataclasses import dataclass
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


@dataclass(frozen=True)
class Batch:
    """The tasks that one annotator was lent together: how many were answered, how long their clips last
    together, and how long after they were lent the last answer came, both in seconds."""

    answers: int
    seconds: float
    took: float


def batches_of(task: Task) -> dict[int, Batch]:
    """The batch of each annotator of this task, by their number; of kept answers none is known."""
    with connection.cursor() as cursor:
        cursor.execute(BATCHES, [task.pk])
        return {
            who: Batch(answers, seconds, float(took)) for who, answers, seconds, took in cursor.fetchall()
        }


BATCHES = f"""
    SELECT lent.annotator_id, count(*), sum(clip.seconds),
           extract(epoch FROM max(given.created_at) - min(lent.lent_at))
    FROM {Assignment._meta.db_table} this
    JOIN {Assignment._meta.db_table} lent
        ON lent.annotator_id = this.annotator_id AND lent.lent_at = this.lent_at
    JOIN {Annotation._meta.db_table} given
        ON given.task_id = lent.task_id AND given.annotator_id = lent.annotator_id
    JOIN {Task._meta.db_table} task ON task.id = lent.task_id
    JOIN {Clip._meta.db_table} clip ON clip.id = task.clip_id
    WHERE this.task_id = %s AND this.role <> 'repeat' AND this.state = 'done'
          AND lent.role <> 'repeat' AND lent.state = 'done'
    GROUP BY lent.annotator_id
"""

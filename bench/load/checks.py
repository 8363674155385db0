"""Is exactly what the site acknowledged in the database? Every figure here must be 0."""

from typing import Any

from psycopg2.extras import execute_values

from bench.load.stage import Stage

ACKNOWLEDGED = (
    "CREATE TEMP TABLE acknowledged (annotation bigint, assignment bigint, person bigint, answer text)"
)
FIGURES = {
    "lost answers": """
        SELECT count(*) FROM acknowledged WHERE NOT EXISTS (
            SELECT 1 FROM datasets_annotation a JOIN tagger_assignment l USING (task_id, annotator_id)
            WHERE a.id = acknowledged.annotation AND a.annotator_id = acknowledged.person
                AND a.plain_answer = acknowledged.answer AND l.id = acknowledged.assignment
                AND l.state = 'done')""",
    "doubled answers": """
        SELECT (SELECT count(*) - count(DISTINCT annotation) FROM acknowledged)
            + (SELECT count(*) - count(DISTINCT (task_id, annotator_id)) FROM datasets_annotation)""",
    "unacknowledged answers": """
        SELECT count(*) FROM datasets_annotation
        WHERE annotator_id IN (SELECT person FROM acknowledged)
            AND id NOT IN (SELECT annotation FROM acknowledged)""",
    "over-collected tasks": """
        SELECT count(*) FROM datasets_task t JOIN datasets_campaign c ON c.id = t.campaign_id
            JOIN (SELECT task_id, count(*) AS given FROM datasets_annotation GROUP BY 1) a ON a.task_id = t.id
        WHERE a.given > c.max_annotations OR (t.status = 'open' AND a.given > t.wanted)""",
    "tasks with wrong counters": """
        SELECT count(*) FROM datasets_task t
            LEFT JOIN (SELECT task_id, count(*) AS given FROM datasets_annotation GROUP BY 1) a
                ON a.task_id = t.id
            LEFT JOIN (SELECT task_id, count(*) AS lent FROM tagger_assignment
                WHERE state = 'lent' AND role <> 'repeat' GROUP BY 1) l ON l.task_id = t.id
        WHERE t.annotation_count <> coalesce(a.given, 0) OR t.lent_count <> coalesce(l.lent, 0)""",
}
# In one snapshot, and only over tasks that are lent now, so that it is cheap for any number of tasks.
OVER_LENT = """
    SELECT count(*) FROM datasets_task WHERE status = 'open' AND annotation_count + lent_count > wanted
        AND id IN (SELECT task_id FROM tagger_assignment WHERE state = 'lent' AND role = 'vote')"""


class Watch:
    """Checks repeatedly whether a task is lent to more people than it wants."""

    def __init__(self, stage: Stage) -> None:
        self.stage, self.looks, self.over_lent = stage, 0, 0

    def look(self) -> None:
        self.looks += 1
        if self.looks % 10 == 0:  # about twice a second
            self.over_lent = max(self.over_lent, self.stage.one(OVER_LENT))


def kept(stage: Stage, answers: list[list[Any]]) -> dict[str, int]:
    """Compare acknowledged answers, each [annotation, assignment, person, answer], with the tables."""
    with stage.database.cursor() as cursor:
        cursor.execute(ACKNOWLEDGED)
        execute_values(cursor, "INSERT INTO acknowledged VALUES %s", answers, page_size=1000)
        cursor.execute("ANALYZE acknowledged")
    return {name: stage.one(statement) for name, statement in FIGURES.items()}

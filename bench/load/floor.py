"""The floor of the database: the same writes as prepared statements, without any code of the site.

Pick ten under SKIP LOCKED, count them as lent and write their assignments; then write and count each answer.
Run as `python -m bench.load.floor PLAN.json`.
"""

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import psycopg2

# A person's own assignments must be excluded: without that, the same tasks would be picked again.
PREPARE = """
PREPARE pick (bigint, bigint) AS
WITH picked AS (
    SELECT id FROM datasets_task WHERE campaign_id = $1 AND status = 'open' AND NOT awaits_record
        AND annotation_count < wanted - lent_count
        AND NOT EXISTS (SELECT FROM tagger_assignment WHERE task_id = datasets_task.id AND annotator_id = $2)
    ORDER BY annotation_count DESC, priority, spread LIMIT 10 FOR NO KEY UPDATE SKIP LOCKED
), counted AS (
    UPDATE datasets_task SET lent_count = lent_count + 1 FROM picked WHERE datasets_task.id = picked.id
)
INSERT INTO tagger_assignment (task_id, annotator_id, role, state, lent_at, expires_at)
SELECT id, $2, 'vote', 'lent', now(), now() + interval '900 s' FROM picked RETURNING id, task_id;

PREPARE answer (bigint, bigint, bigint) AS
WITH note AS (
    INSERT INTO datasets_annotation (task_id, annotator_id, plain_answer, sealed_answer, created_at)
    VALUES ($2, $3, 'yes', '', now())
), freed AS (
    UPDATE tagger_assignment SET state = 'done' WHERE id = $1
)
UPDATE datasets_task SET annotation_count = annotation_count + 1, lent_count = lent_count - 1,
    status = CASE WHEN annotation_count + 1 >= wanted THEN 'settled' ELSE status END, plain_answer = 'yes'
WHERE id = $2;
"""


@dataclass(frozen=True)
class Plan:
    database: str
    campaign: int
    people: list[int]
    until: float  # of the monotonic clock
    output: str


def work(plan: Plan, person: int) -> list[float]:
    """The times at which answers were stored."""
    ends: list[float] = []
    connection = psycopg2.connect(plan.database, application_name="floor")
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(PREPARE)
        while time.monotonic() < plan.until:
            cursor.execute("EXECUTE pick (%s, %s)", (plan.campaign, person))
            if not (lent := cursor.fetchall()):  # a small campaign runs out of tasks
                time.sleep(max(0, plan.until - time.monotonic()))
            for lease, task in lent:
                cursor.execute("EXECUTE answer (%s, %s, %s)", (lease, task, person))
                ends.append(time.monotonic())
    connection.close()
    return ends


def main(plan: Plan) -> None:
    with ThreadPoolExecutor(len(plan.people)) as pool:
        ends = [end for one in pool.map(lambda person: work(plan, person), plan.people) for end in one]
    Path(plan.output).write_text(json.dumps({"requests": {"answer": [(end, 0.0) for end in ends]}}))


if __name__ == "__main__":
    main(Plan(**json.loads(Path(sys.argv[1]).read_text())))

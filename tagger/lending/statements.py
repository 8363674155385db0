"""Store a label, or leases, in one statement each: what `assignments` writes for nearly every answer."""

from datetime import datetime
from functools import cache

from django.db.models import BigAutoField

from accounts import prepared
from accounts.models import Purpose, User
from datasets import live
from datasets.models import Annotation, Campaign, Label, Task
from tagger.models import Assignment


def store_label(
    annotator: User, assignment_id: int, answer: str, now: datetime, several_speakers: bool = False
) -> Annotation | None:
    """Store a label, count it and close its assignment; None if nothing was stored.

    It stores only what assignments.hand_in would, with the same locks in the same order. It leaves alone a
    second try, a reclaimed lease, a clip that is gone, and so on.
    """
    if answer not in Label.values or assignment_id > BigAutoField.MAX_BIGINT:
        return None
    lent = (assignment_id, annotator.pk, Assignment.State.LENT, Assignment.Role.REPEAT)
    written = (annotator.pk, answer, several_speakers, now, Assignment.State.DONE, now)
    row = prepared.one("store_label", _store_label(), (*lent, Campaign.Kind.WAKE_WORD, *written))
    return Annotation.from_db("default", ["id", "task_id", "annotator_id"], row) if row else None


def store_leases(
    tasks: list[Task], annotator: User, role: Assignment.Role, now: datetime, until: datetime
) -> list[Assignment]:
    """Lend these tasks, whose rows are locked. An existing assignment has expired and is lent again."""
    pks = [task.pk for task in tasks]
    values = (pks if role.takes_a_place else [], annotator.pk, role, Assignment.State.LENT, now, until, pks)
    made = dict(prepared.rows("store_leases", STORE_LEASES, values))
    common = {"annotator": annotator, "role": role, "lent_at": now, "expires_at": until}
    return [Assignment(pk=made[task.pk], task=task, **common) for task in tasks]


STORE_LEASES = f"""
    WITH counted AS (
        UPDATE {Task._meta.db_table} SET lent_count = lent_count + 1 WHERE id = ANY(%s::bigint[])
    )
    INSERT INTO {Assignment._meta.db_table} (task_id, annotator_id, role, state, lent_at, expires_at)
    SELECT task_id, %s::bigint, %s, %s, %s::timestamptz, %s::timestamptz FROM unnest(%s::bigint[]) task_id
    ON CONFLICT (task_id, annotator_id, role)
    DO UPDATE SET state = excluded.state, lent_at = excluded.lent_at, expires_at = excluded.expires_at
    RETURNING task_id, id
"""


@cache
def _store_label() -> str:
    return STORE_LABEL.format(live=live.task_condition(Purpose.VOLUNTEERS, "task.id"))


# The task is locked before the assignment, as everywhere. `+ 0` stops PostgreSQL from using the annotator
# index.
STORE_LABEL = f"""
    WITH lent AS (
        SELECT assignment.id, assignment.task_id
        FROM {Assignment._meta.db_table} assignment
        JOIN {Task._meta.db_table} task ON task.id = assignment.task_id
        JOIN {Campaign._meta.db_table} campaign ON campaign.id = task.campaign_id
        WHERE assignment.id = %s AND assignment.annotator_id + 0 = %s AND assignment.state = %s
            AND assignment.role <> %s AND campaign.kind = %s AND {{live}}
        FOR NO KEY UPDATE OF task, assignment
    ), stored AS (
        INSERT INTO {Annotation._meta.db_table}
            (task_id, annotator_id, plain_answer, sealed_answer, several_speakers, created_at)
        SELECT task_id, %s::bigint, %s, '', %s::boolean, %s::timestamptz FROM lent
        RETURNING id, task_id, annotator_id
    ), closed AS (
        UPDATE {Assignment._meta.db_table} assignment SET state = %s FROM lent WHERE assignment.id = lent.id
    ), counted AS (
        UPDATE {Task._meta.db_table} task
        SET annotation_count = annotation_count + 1, lent_count = lent_count - 1,
            dirty_since = COALESCE(dirty_since, %s::timestamptz)
        FROM lent WHERE task.id = lent.task_id
    )
    SELECT * FROM stored
"""

"""The statements that count a campaign. Each reads its tables once, and gives back few rows.

All count the same clips as the explorer lists: those that are not being erased and whose cooling-off is
over. A clip that reports hid is `hidden`, whatever became of its task. PostgreSQL keeps its intermediate
results within work_mem and writes the rest to disk, so the memory that counting needs stays the same.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection

from datasets.models import Annotation, Clip, Task
from tagger.models import Assignment, Control, Repeat, ReviewItem

Values = Mapping[str, Any]

# Ends of the classes that clips are counted in. The last class has no upper end, except that of shares.
SHARES = tuple(each / 20 for each in range(21))
SPEECH = tuple(each / 10 for each in range(11))
SECONDS = (0, 1, 2, 3, 4, 5, 7, 10, 15, 20, 30)
UNTIL_SETTLED = (0, 60, 600, 3_600, 21_600, 86_400, 259_200, 604_800, 2_592_000)  # 1 min to 30 days
CLIPS_EACH = (1, 2, 6, 21, 101, 1_001)  # clips of one contributor

TASK, CLIP, ANNOTATION = (model._meta.db_table for model in (Task, Clip, Annotation))
ASSIGNMENT, CONTROL, REPEAT, ITEM = (
    model._meta.db_table for model in (Assignment, Control, Repeat, ReviewItem)
)

COUNTED = f"""
    FROM {TASK} task JOIN {CLIP} clip ON clip.id = task.clip_id
        AND clip.withdrawal_id IS NULL AND (clip.held_until IS NULL OR clip.held_until <= %(now)s)
"""
STATUS = "CASE WHEN clip.hidden_at IS NULL THEN task.status ELSE 'hidden' END"
# A kept answer has no annotator. Times of tasks with such an answer are known only by quarter.
HAS_KEPT = (
    f"EXISTS (SELECT FROM {ANNOTATION} kept WHERE kept.task_id = task.id AND kept.annotator_id IS NULL)"
)


def rows(statement: str, values: Values) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall()


def _class(value: str, edges: Sequence[float]) -> str:
    """The number of the class, from 0 on, that a value lies in."""
    bounds = ", ".join(str(float(edge)) for edge in edges[1:])
    return f"width_bucket({value}::float8, ARRAY[{bounds}]::float8[])"


def _share_class(value: str, edges: Sequence[float]) -> str:
    """The same of a share: the last class has its upper end, too. Nothing of nothing."""
    return f"CASE WHEN {value} IS NOT NULL THEN least({_class(value, edges)}, {len(edges) - 2}) END"


# What clips are counted by, each with their status, in one pass.
GROUPS: dict[str, tuple[str, ...]] = {
    "statuses": (),
    "answers": ("answer",),
    "confidence": ("confidence",),
    "lengths": ("length",),
    "speech": ("speech",),
    "sources": ("source",),
    "votes": ("adjudicated", "votes", "wanted"),
}
COLUMNS = ("answer", "confidence", "length", "speech", "source", "adjudicated", "votes", "wanted")

CLIPS = f"""
    SELECT GROUPING({", ".join(COLUMNS)}), status, {", ".join(COLUMNS)}, count(*), sum(seconds)
    FROM (
        SELECT {STATUS} AS status, task.plain_answer AS answer, clip.source, clip.seconds,
            {_share_class("task.confidence", SHARES)} AS confidence,
            {_class("clip.seconds", SECONDS)} AS length,
            {_share_class("clip.speech_share", SPEECH)} AS speech,
            task.adjudicated, task.annotation_count AS votes, task.wanted
        {COUNTED} WHERE task.campaign_id = %(campaign)s
    ) counted
    GROUP BY GROUPING SETS ({", ".join(f"({', '.join(('status', *group))})" for group in GROUPS.values())})
"""


def clips(values: Values) -> dict[str, list[tuple[Any, ...]]]:
    """By group: (status, …, clips, seconds), without the columns that the group does not have."""
    masks = {
        sum(1 << place for place, column in enumerate(reversed(COLUMNS)) if column not in group): name
        for name, group in GROUPS.items()
    }
    found: dict[str, list[tuple[Any, ...]]] = {name: [] for name in GROUPS}
    for mask, status, *rest in rows(CLIPS, values):
        name = masks[mask]
        by = dict(zip(COLUMNS, rest, strict=False))
        found[name].append((status, *(by[each] for each in GROUPS[name]), *rest[-2:]))
    return found


# First each person's answers of a day, so that people are counted without sorting all answers.
ANSWER_DAYS = f"""
    SELECT day, sum(answers)::bigint, count(DISTINCT annotator_id) FROM (
        SELECT (given.created_at AT TIME ZONE %(zone)s)::date AS day, given.annotator_id,
            count(*) AS answers
        {COUNTED} JOIN {ANNOTATION} given ON given.task_id = task.id
        WHERE task.campaign_id = %(campaign)s AND given.annotator_id IS NOT NULL
        GROUP BY 1, 2
    ) each_persons
    GROUP BY GROUPING SETS ((day), ())
"""

KEPT = f"""
    SELECT count(*) {COUNTED} JOIN {ANNOTATION} given ON given.task_id = task.id
    WHERE task.campaign_id = %(campaign)s AND given.annotator_id IS NULL
"""

REPEATED = f"""
    SELECT count(*) {COUNTED} JOIN {ANNOTATION} given ON given.task_id = task.id
    JOIN {REPEAT} again ON again.annotation_id = given.id
    WHERE task.campaign_id = %(campaign)s
"""

SETTLED_DAYS = f"""
    SELECT (task.settled_at AT TIME ZONE %(zone)s)::date, count(*)
    {COUNTED} WHERE task.campaign_id = %(campaign)s AND {STATUS} = 'settled' AND NOT {HAS_KEPT}
    GROUP BY 1
"""

DISPUTED_DAYS = f"""
    SELECT (item.opened_at AT TIME ZONE %(zone)s)::date, count(*)
    {COUNTED} JOIN {ITEM} item ON item.task_id = task.id
    WHERE task.campaign_id = %(campaign)s AND item.campaign_id = %(campaign)s
        AND item.kind = 'dispute' AND item.reason IN ('no-agreement', 'confidence-fell') AND NOT {HAS_KEPT}
    GROUP BY 1
"""

TIMES_TO_SETTLE = f"""
    SELECT {_class("extract(epoch FROM took)", UNTIL_SETTLED)}, count(*) FROM (
        SELECT greatest(task.settled_at - min(given.created_at), interval '0') AS took
        {COUNTED} JOIN {ANNOTATION} given ON given.task_id = task.id
        WHERE task.campaign_id = %(campaign)s AND {STATUS} = 'settled'
        GROUP BY task.id, task.settled_at HAVING bool_and(given.annotator_id IS NOT NULL)
    ) settled
    GROUP BY 1
"""

CONFUSION = f"""
    SELECT task.plain_answer, given.plain_answer, count(*)
    {COUNTED} JOIN {ANNOTATION} given ON given.task_id = task.id
    WHERE task.campaign_id = %(campaign)s AND {STATUS} = 'settled'
    GROUP BY 1, 2
"""

# Of each contributor first. The two numbers on every row are of all of them.
CONTRIBUTORS = f"""
    WITH each_persons AS MATERIALIZED (
        SELECT clip.contributor_id AS person, count(*) AS clips, sum(clip.seconds) AS seconds
        {COUNTED} WHERE task.campaign_id = %(campaign)s GROUP BY 1
    )
    SELECT 'class', {_class("clips", CLIPS_EACH)}::bigint, count(*), sum(clips)::bigint, sum(seconds)
    FROM each_persons GROUP BY 2
    UNION ALL (
        SELECT 'person', person, 1, clips, seconds FROM each_persons
        ORDER BY clips DESC, person LIMIT %(most)s
    )
"""

# Answers to controls whose answer is certain (ControlQuerySet.trusted), by whether they were right.
CONTROLS = f"""
    SELECT given.plain_answer = known.plain_answer, count(*)
    {COUNTED} JOIN {CONTROL} known ON known.task_id = task.id
    JOIN {ASSIGNMENT} lent ON lent.task_id = task.id AND lent.role = 'control' AND lent.state = 'done'
    JOIN {ANNOTATION} given ON given.task_id = task.id AND given.annotator_id = lent.annotator_id
    WHERE task.campaign_id = %(campaign)s AND task.status = 'settled'
        AND (task.adjudicated OR task.confidence >= %(certain)s)
    GROUP BY 1
"""

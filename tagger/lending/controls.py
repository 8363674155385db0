"""Tasks whose answer is known, lent once more among the others: chosen, worn out, replaced.

Drawn from what is settled or decided by a reviewer. An answer to one is a vote like any other, so no task
collects more than its campaign's most, and whoever looks at a clip or at the API cannot tell. What few people
have settled is not known yet: such a control collects the votes that make it sure, and counts as truth then.
"""

from collections import Counter
from datetime import datetime, timedelta
from functools import cache
from random import Random, SystemRandom
from typing import Any

from django.db.models import F, Q, QuerySet

from accounts import prepared
from accounts.models import Purpose, User
from datasets import live
from datasets.models import Campaign, Clip, Example, Task
from tagger.models import Assignment, Control

IN_USE = 40  # in each campaign
OLDEST = timedelta(days=14)
SURE = 0.9
# Of somebody new every second clip until five were controls, then one in fifteen.
NEW, AT_FIRST, LATER = 5, 1 / 2, 1 / 15

dice: Random = SystemRandom()


def due(annotator: User, campaign: Campaign, slots: int) -> int:
    """How many of the next `slots` clips are to be controls for this annotator."""
    rolls = [dice.random() for _ in range(slots)]
    if not any(roll < AT_FIRST for roll in rolls):
        return 0
    had = len(prepared.rows("controls_had", HAD, (annotator.pk, campaign.pk)))
    number = 0
    for roll in rolls:
        number += roll < (AT_FIRST if had + number < NEW else LATER)
    return number


HAD = f"""
    SELECT 1 FROM {Assignment._meta.db_table} assignment
    JOIN {Task._meta.db_table} task ON task.id = assignment.task_id
    WHERE assignment.annotator_id = %s AND assignment.role = 'control' AND task.campaign_id = %s LIMIT {NEW}
"""


def pick(annotator: User, campaign: Campaign, count: int) -> list[Task]:
    """Up to `count` controls that this annotator never met, their rows locked as lending locks them."""
    if not count:
        return []
    values = (campaign.pk, campaign.max_annotations, annotator.pk, annotator.pk, count)
    return [lendable(campaign, row) for row in prepared.rows("controls_unknown", _unknown(), values)]


def lendable(campaign: Campaign, row: tuple[Any, ...]) -> Task:
    """A task of which is known what lending needs: its clip's contributor and seconds."""
    pk, *clip = row
    task = Task.from_db("default", ["id", "clip_id", "campaign_id"], [pk, clip[0], campaign.pk])
    task.clip = Clip.from_db("default", ["id", "contributor_id", "seconds"], clip)
    return task


@cache
def _unknown() -> str:
    return UNKNOWN.format(live=live.tasks(Purpose.VOLUNTEERS, "task.id"))


# What is `_usable`, of the few that are in use. Something is put behind the status, or the database would go
# through all tasks that were ever settled, by their index, to find those few among them.
UNKNOWN = f"""
    SELECT task.id, clip.id, clip.contributor_id, clip.seconds
    FROM {Control._meta.db_table} control
    JOIN {Task._meta.db_table} task ON task.id = control.task_id
    JOIN {Clip._meta.db_table} clip ON clip.id = task.clip_id
    WHERE control.campaign_id = %s AND control.retired_at IS NULL
        AND task.status || '' = 'settled' AND task.dirty_since IS NULL
        AND task.annotation_count < %s::integer - task.lent_count
        AND clip.contributor_id <> %s AND {{live}}
        AND CASE WHEN EXISTS (
            SELECT FROM {Assignment._meta.db_table} met
            WHERE met.task_id = task.id AND met.annotator_id = %s
        ) THEN false ELSE true END
        AND NOT EXISTS (SELECT FROM {Example._meta.db_table} shown WHERE shown.task_id = task.id)
    ORDER BY random() LIMIT %s FOR NO KEY UPDATE OF task SKIP LOCKED
"""


def trusted(kind: str, language: str) -> QuerySet[Control]:
    """The controls of a crowd that are sure enough to be taken for truth."""
    of_crowd = Control.objects.filter(campaign__kind=kind, campaign__language=language)
    return of_crowd.filter(Q(task__adjudicated=True) | Q(task__confidence__gte=SURE), task__status="settled")


def rotate(campaign: Campaign, now: datetime) -> int:
    """Retire what is worn out, old or no longer settled, and choose others; how many are in use then."""
    in_use = Control.objects.filter(campaign=campaign, retired_at=None)
    in_use.filter(Q(since__lt=now - OLDEST) | ~Q(task__in=_usable(campaign))).update(retired_at=now)
    held = list(in_use.values_list("task__plain_answer", flat=True))
    for task in _choose(campaign, IN_USE - len(held), Counter(held)):
        Control.objects.create(  # type: ignore[misc]
            task=task, campaign=campaign, answer=task.answer, since=now
        )
    return in_use.count()


def _usable(campaign: Campaign) -> QuerySet[Task]:
    """Settled, audible, not shown with its answer, and with room for one more answer."""
    return (
        Task.objects.live_for(Purpose.VOLUNTEERS, few=True)
        .filter(campaign=campaign, status=Task.Status.SETTLED, dirty_since=None, example=None)
        .filter(annotation_count__lt=campaign.max_annotations - F("lent_count"))
    )


def _choose(campaign: Campaign, count: int, held: Counter[str | None]) -> list[Task]:
    """Of the newest that never were controls the surest, evenly over the answers where answers are labels."""
    opened = _usable(campaign).filter(control=None).select_related("campaign", "clip__contributor__data_key")
    chosen: list[Task] = []
    newest = opened.order_by("-settled_at")[: 20 * IN_USE]
    for task in sorted(newest, key=lambda task: (-task.adjudicated, -(task.confidence or 0), -task.pk)):
        if len(chosen) >= count:
            break
        if campaign.asks_for_words or held[task.plain_answer] < IN_USE / 4:
            held[task.plain_answer] += 1
            chosen.append(task)
    return chosen

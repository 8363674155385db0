"""Controls: tasks with a known answer, lent again among the others; how they are chosen, picked and retired.

They are chosen from tasks that are settled or decided by a reviewer. An answer to a control is a vote like
any other, up to the campaign's max_annotations, and neither the page nor the API shows which tasks are
controls. A task that few people settled is not trusted yet: as a control it collects the votes for that.
"""

from collections import Counter
from datetime import datetime, timedelta
from functools import cache
from random import Random, SystemRandom
from typing import Any

from django.db import transaction
from django.db.models import F, Q, QuerySet

from accounts import prepared
from accounts.models import Purpose, User
from datasets import live
from datasets.models import Campaign, Clip, Example, Task
from tagger.models import Assignment, Control

MAX_IN_USE = 40  # in each campaign
MAX_AGE = timedelta(days=14)
# New volunteers: every second clip is a control until they have had five; then the campaign's share.
FIRST, FIRST_SHARE = 5, 1 / 2

dice: Random = SystemRandom()


def due(annotator: User, campaign: Campaign, slots: int) -> int:
    """How many of this annotator's next `slots` clips should be controls, at random."""
    rolls = [dice.random() for _ in range(slots)]
    if not any(roll < FIRST_SHARE for roll in rolls):
        return 0
    if not campaign.control_share:
        return 0
    had = len(prepared.rows("controls_had", CONTROLS_HAD, (annotator.pk, campaign.pk)))
    number = 0
    for roll in rolls:
        number += roll < (FIRST_SHARE if had + number < FIRST else campaign.control_share)
    return number


CONTROLS_HAD = f"""
    SELECT 1 FROM {Assignment._meta.db_table} assignment
    JOIN {Task._meta.db_table} task ON task.id = assignment.task_id
    WHERE assignment.annotator_id = %s AND assignment.role = 'control' AND task.campaign_id = %s LIMIT {FIRST}
"""


def pick(annotator: User, campaign: Campaign, count: int) -> list[Task]:
    """Up to `count` controls that this annotator never had, their rows locked as in lending."""
    if not count:
        return []
    values = (campaign.pk, campaign.max_annotations, annotator.pk, annotator.pk, count)
    return [lendable(campaign, row) for row in prepared.rows("pick_controls", _pick(), values)]


def lendable(campaign: Campaign, row: tuple[Any, ...]) -> Task:
    """The task of a row (task, clip, contributor, seconds); other fields load on access."""
    pk, *clip = row
    task = Task.from_db("default", ["id", "clip_id", "campaign_id"], [pk, clip[0], campaign.pk])
    task.clip = Clip.from_db("default", ["id", "contributor_id", "seconds"], clip)
    return task


@cache
def _pick() -> str:
    return PICK.format(live=live.task_condition(Purpose.VOLUNTEERS, "task.id"))


# The controls in use that are `_usable`: tests/lending/test_rules_agree.py checks that the two agree. `|| ''`
# stops PostgreSQL from using the index of the status, which lists all tasks that were ever settled.
PICK = f"""
    SELECT task.id, clip.id, clip.contributor_id, clip.seconds
    FROM {Control._meta.db_table} control
    JOIN {Task._meta.db_table} task ON task.id = control.task_id
    JOIN {Clip._meta.db_table} clip ON clip.id = task.clip_id
    WHERE control.campaign_id = %s AND control.retired_at IS NULL
        AND task.status || '' = 'settled' AND task.dirty_since IS NULL
        AND task.annotation_count < %s::integer - task.lent_count
        AND clip.contributor_id <> %s AND {{live}}
        AND CASE WHEN EXISTS (
            SELECT FROM {Assignment._meta.db_table} had
            WHERE had.task_id = task.id AND had.annotator_id = %s
        ) THEN false ELSE true END
        AND NOT EXISTS (SELECT FROM {Example._meta.db_table} shown WHERE shown.task_id = task.id)
    ORDER BY random() LIMIT %s FOR NO KEY UPDATE OF task SKIP LOCKED
"""


def trusted(kind: str, language: str) -> QuerySet[Control]:
    """The controls of a crowd whose answer is certain enough to be taken as the truth."""
    return Control.objects.trusted().filter(campaign__kind=kind, campaign__language=language)


def rotate(campaign: Campaign, now: datetime) -> int:
    """Retire controls that are old or no longer usable and choose others; returns how many are in use."""
    in_use = Control.objects.filter(campaign=campaign, retired_at=None)
    in_use.filter(Q(since__lt=now - MAX_AGE) | ~Q(task__in=_usable(campaign))).update(retired_at=now)
    kept = list(in_use.values_list("task__plain_answer", flat=True))
    for task in _choose(campaign, MAX_IN_USE - len(kept), Counter(kept)):
        _begin(task, now)
    return in_use.count()


@transaction.atomic
def _begin(chosen: Task, now: datetime) -> None:
    task = Task.objects.locked_with_key().filter(pk=chosen.pk, dirty_since=None).first()
    if task is not None:
        Control.objects.create(  # type: ignore[misc]
            task=task, campaign=task.campaign, answer=task.answer, since=now
        )


def _usable(campaign: Campaign) -> QuerySet[Task]:
    """Settled, live, never an example, and with room for one more answer."""
    return (
        Task.objects.live_for(Purpose.VOLUNTEERS, per_row=True)
        .filter(campaign=campaign, status=Task.Status.SETTLED, dirty_since=None, example=None)
        .filter(annotation_count__lt=campaign.max_annotations - F("lent_count"))
    )


def _choose(campaign: Campaign, count: int, by_answer: Counter[str | None]) -> list[Task]:
    """Of the newest tasks that never were controls, those with the highest confidence.

    Labels are balanced: no label has more than a quarter of the controls. `by_answer` counts those in use.
    """
    never_used = _usable(campaign).filter(control=None)
    opened = never_used.select_related("campaign", "clip__contributor__data_key")
    chosen: list[Task] = []
    newest = opened.order_by("-settled_at")[: 20 * MAX_IN_USE]
    for task in sorted(newest, key=lambda task: (-task.adjudicated, -(task.confidence or 0), -task.pk)):
        if len(chosen) >= count:
            break
        if campaign.asks_for_words or by_answer[task.plain_answer] < MAX_IN_USE / 4:
            by_answer[task.plain_answer] += 1
            chosen.append(task)
    return chosen

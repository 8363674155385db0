"""Count the people who answer in a campaign: the only writer of PeopleCount, PersonFigures and PairFigures.

Pages read these rows, so they cost the same however much was answered. The longer counting takes, the less
often it is done. Transcripts have to be decrypted one by one, so only the newest ones are compared.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import combinations, groupby
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Q

from accounts.keys import KeyLost
from accounts.models import GONE
from datasets import normalise
from datasets.models import Annotation, Campaign, Clip, Task
from tagger import turns
from tagger.models import (
    TRUSTED_CONFIDENCE,
    Assignment,
    Control,
    PairFigures,
    PeopleCount,
    PersonFigures,
)
from tagger.settling import person_weights, track_records

from . import inactive

SHORTEST_PAUSE = timedelta(minutes=1)
IN_ONE_GO = timedelta(minutes=5)  # the longest from one answer to the next that is no pause
TOP = 30  # people in the matrix of agreement, those with most answers
MOST_TRANSCRIPTS = 2_000  # the newest ones, of those that are settled
BATCH_SIZE = 1_000
NO_DAYS: tuple[int, date | None] = (0, None)  # of whom all clips were erased meanwhile

Pairs = dict[tuple[int, int], tuple[int, int]]

TASK, CLIP, ANNOTATION, ASSIGNMENT, CONTROL = (
    model._meta.db_table for model in (Task, Clip, Annotation, Assignment, Control)
)
# All answers of people to clips that are not being erased.
GIVEN = f"""
    FROM {TASK} task JOIN {CLIP} clip ON clip.id = task.clip_id AND clip.withdrawal_id IS NULL
    JOIN {ANNOTATION} given ON given.task_id = task.id AND given.annotator_id IS NOT NULL
"""
ANSWERS = f"""
    SELECT given.annotator_id, CASE WHEN task.status = 'settled' THEN task.plain_answer END,
        given.plain_answer, count(*)
    {GIVEN} WHERE task.campaign_id = %(campaign)s GROUP BY 1, 2, 3
"""
DAYS = f"""
    SELECT annotator_id, count(*), max(day) FROM (
        SELECT DISTINCT given.annotator_id, (given.created_at AT TIME ZONE %(zone)s)::date AS day
        {GIVEN} WHERE task.campaign_id = %(campaign)s
    ) days GROUP BY 1
"""
PACE = f"""
    SELECT annotator_id, extract(epoch FROM percentile_cont(0.5) WITHIN GROUP (ORDER BY took)) FROM (
        SELECT given.annotator_id, given.created_at - lag(given.created_at)
            OVER (PARTITION BY given.annotator_id ORDER BY given.created_at) AS took
        {GIVEN} WHERE task.campaign_id = %(campaign)s
    ) gaps WHERE took <= %(in_one_go)s GROUP BY 1
"""
# Answers to controls whose answer is certain (ControlQuerySet.trusted), by whether they were right.
CONTROLS = f"""
    SELECT given.annotator_id, count(*), count(*) FILTER (WHERE given.plain_answer = task.plain_answer)
    {GIVEN} JOIN {CONTROL} known ON known.task_id = task.id
    JOIN {ASSIGNMENT} lent ON lent.task_id = task.id AND lent.role = 'control' AND lent.state = 'done'
        AND lent.annotator_id = given.annotator_id
    WHERE task.campaign_id = %(campaign)s AND task.status = 'settled'
        AND (task.adjudicated OR task.confidence >= %(certain)s)
    GROUP BY 1
"""
PAIRS = f"""
    SELECT given.annotator_id, other.annotator_id, count(*),
        count(*) FILTER (WHERE given.plain_answer = other.plain_answer)
    {GIVEN} JOIN {ANNOTATION} other ON other.task_id = task.id AND other.annotator_id > given.annotator_id
    WHERE task.campaign_id = %(campaign)s
        AND given.annotator_id = ANY(%(top)s) AND other.annotator_id = ANY(%(top)s)
    GROUP BY 1, 2
"""


@dataclass
class Counts:
    """What is counted of one person."""

    answers: int = 0
    compared: int = 0
    agreed: int = 0
    given: Counter[str] = field(default_factory=Counter)
    confusion: dict[str, dict[str, int]] = field(default_factory=dict)
    controls: int = 0
    controls_right: int = 0


def count_due(clock: Callable[[], datetime]) -> int:
    """Count in each campaign whose turn it is; returns in how many."""
    return sum(count(each, clock) for each in turns.due(PeopleCount, clock, SHORTEST_PAUSE))


def count(campaign: Campaign, clock: Callable[[], datetime]) -> bool:
    """Count in this campaign, unless another worker does. Returns whether it was counted."""
    now = clock()
    if not turns.claim(PeopleCount, campaign, now):
        return False
    values = {
        "campaign": campaign.pk,
        "zone": settings.TIME_ZONE,
        "in_one_go": IN_ONE_GO,
        "certain": TRUSTED_CONFIDENCE,
    }
    people = _of_answers(values)
    days = {who: (number, last) for who, number, last in _rows(DAYS, values)}
    pace = dict(_rows(PACE, values))
    top = sorted(people, key=lambda who: (-people[who].answers, who))[:TOP]
    if campaign.asks_for_words:
        pairs, sampled = _of_transcripts(campaign, people, set(top))
    else:
        pairs, sampled = _of_labels(people, values | {"top": top}), None
    rows = [_row(campaign, who, each, days.get(who, NO_DAYS), pace.get(who)) for who, each in people.items()]
    with turns.ending(PeopleCount, campaign, now, clock) as columns:
        if columns is None:
            return False
        _store(campaign, rows, pairs)
        person_weights.end_for_returned(campaign, now)
        columns.update(sampled=sampled, stopped=inactive.count_stopped(campaign, now))
    return True


def _rows(statement: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall()


def _of_answers(values: Mapping[str, Any]) -> dict[int, Counts]:
    people: dict[int, Counts] = defaultdict(Counts)
    for who, settled, given, number in _rows(ANSWERS, values):
        person = people[who]
        person.answers += number
        if given:  # a label: transcripts are sealed
            person.given[given] += number
        if given and settled is not None:
            person.compared += number
            person.agreed += number if given == settled else 0
            person.confusion.setdefault(settled, {})[given] = number
    return people


def _of_labels(people: dict[int, Counts], values: Mapping[str, Any]) -> Pairs:
    for who, number, right in _rows(CONTROLS, values):
        people[who].controls, people[who].controls_right = number, right
    return {(one, other): (both, same) for one, other, both, same in _rows(PAIRS, values)}


def _of_transcripts(campaign: Campaign, people: dict[int, Counts], top: set[int]) -> tuple[Pairs, int]:
    """The newest ones, opened one by one; returns the pairs, and how many transcripts there were."""
    settled = Annotation.objects.filter(
        task__campaign=campaign, task__status=Task.Status.SETTLED, task__clip__withdrawal=None
    )
    newest = settled.exclude(annotator=None).order_by("-task_id", "pk")
    opened = newest.select_related("task__campaign", "task__clip__contributor__data_key")[:MOST_TRANSCRIPTS]
    found = list(opened)
    both, same = Counter[tuple[int, int]](), Counter[tuple[int, int]]()
    for _task, of_task in groupby(found, key=lambda each: each.task_id):
        texts = _texts(campaign, list(of_task), people)
        for pair in combinations(sorted(top.intersection(texts)), 2):
            both[pair] += 1
            same[pair] += texts[pair[0]] == texts[pair[1]]
    for control in track_records.newest_answers_to_controls(campaign)[:MOST_TRANSCRIPTS]:
        person = people[control.annotator_id or 0]
        person.controls += 1
        person.controls_right += track_records.is_right(control)
    return {pair: (number, same[pair]) for pair, number in both.items()}, len(found)


def _texts(campaign: Campaign, given: list[Annotation], people: dict[int, Counts]) -> dict[int, str]:
    """The texts of one task by person, in normal form; none if its speaker left meanwhile."""
    task = given[0].task
    try:
        answer, texts = task.answer or "", {}
        for each in given:
            each.task = task  # so that its key is opened once
            texts[each.annotator_id or 0] = normalise.text(each.answer, campaign.language)
    except KeyLost:
        return {}
    for who, text in texts.items():
        people[who].compared += 1
        people[who].agreed += text == answer
    return texts


def _row(
    campaign: Campaign, who: int, counts: Counts, days: tuple[int, date | None], seconds: float | None
) -> PersonFigures:
    return PersonFigures(
        campaign=campaign,
        person_id=who,
        answers=counts.answers,
        days=days[0],
        last_on=days[1],
        seconds_each=None if seconds is None else float(seconds),
        compared=counts.compared,
        agreed=counts.agreed,
        controls=counts.controls,
        controls_right=counts.controls_right,
        most_given=max(counts.given.values(), default=None),
        confusion=counts.confusion,
    )


def _store(campaign: Campaign, rows: list[PersonFigures], pairs: Pairs) -> None:
    """Replace the rows. Of people who left meanwhile none stays: see tagger.learning.refit."""
    PersonFigures.objects.filter(campaign=campaign).delete()
    PairFigures.objects.filter(campaign=campaign).delete()
    PersonFigures.objects.bulk_create(rows, batch_size=BATCH_SIZE)
    PairFigures.objects.bulk_create(
        PairFigures(campaign=campaign, one_id=one, other_id=other, both=both, same=same)
        for (one, other), (both, same) in pairs.items()
    )
    # This locks the rows of these people, so an erasure that is about to change one of them waits, and
    # deletes what is stored here. And if the erasure came first, this waits, and sees that its person left.
    connection.check_constraints()
    own = PersonFigures.objects.filter(campaign=campaign)
    own.filter(person__username__startswith=GONE).delete()
    PairFigures.objects.filter(
        Q(one__username__startswith=GONE) | Q(other__username__startswith=GONE), campaign=campaign
    ).delete()

"""Holds what clients were told against what is held. Shares no code with the site: SQL, files, plain Python.

`check` is a function of values alone, so that made-up ones can be given to it.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import psycopg2

from .diary import Answered, Diary, clip_of

SERVED = (200, 206)


class Kind(StrEnum):
    LOST = "lost"  # an answer or clip that was acknowledged and is not held
    DOUBLED = "doubled"  # held more than once
    OVER_COLLECTED = "over-collected"  # more answers than the campaign's most
    UNSETTLED = "unsettled"  # answers that nobody counted
    WRONG = "wrong"  # held otherwise than it was told, or not what follows from the answers
    NOT_FORGOTTEN = "not forgotten"  # left, or served, after it was taken back
    ORPHANED = "orphaned"  # a file without its row, or a row without its file
    REFUSED = "refused"  # an answer that the site could have taken


@dataclass(frozen=True)
class Finding:
    kind: Kind
    what: str


@dataclass(frozen=True)
class Campaign:
    slug: str
    most: int
    asks_for_words: bool


@dataclass(frozen=True)
class Clip:
    id: int
    clip: int  # its number of samples
    stored_as: str
    is_withdrawn: bool


@dataclass(frozen=True)
class Task:
    id: int
    clip_id: int
    campaign_id: int
    annotation_count: int
    lent_count: int
    is_dirty: bool
    status: str
    answer: str | None
    adjudicated: bool


@dataclass(frozen=True)
class Annotation:
    id: int
    task_id: int
    annotator: int
    answer: str  # empty where it is sealed


@dataclass(frozen=True)
class Assignment:
    task_id: int
    annotator: int
    role: str
    state: str


@dataclass(frozen=True)
class Held:
    """Everything that the checker reads, as it was at one moment."""

    campaigns: dict[int, Campaign] = field(default_factory=dict)
    clips: list[Clip] = field(default_factory=list)
    tasks: list[Task] = field(default_factory=list)
    annotations: list[Annotation] = field(default_factory=list)
    assignments: list[Assignment] = field(default_factory=list)
    erasures_under_way: int = 0
    files: frozenset[str] = frozenset()


def read(database: str, vault: Path) -> Held:
    """Raises psycopg2.OperationalError while the database is away."""
    connection = psycopg2.connect(database)
    try:
        connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
        with connection.cursor() as cursor:

            def rows(query: str) -> Iterator[tuple[Any, ...]]:
                cursor.execute(query)
                yield from cursor.fetchall()

            campaigns = rows(
                "SELECT id, slug, max_annotations, kind = 'transcription' FROM datasets_campaign"
            )
            clips = rows("SELECT id, seconds, stored_as, withdrawal_id IS NOT NULL FROM datasets_clip")
            tasks = rows(
                "SELECT id, clip_id, campaign_id, annotation_count, lent_count, dirty_since IS NOT NULL,"
                " status, plain_answer, adjudicated FROM datasets_task"
            )
            annotations = rows("SELECT id, task_id, annotator_id, plain_answer FROM datasets_annotation")
            assignments = rows("SELECT task_id, annotator_id, role, state FROM tagger_assignment")
            unfinished = rows("SELECT count(*) FROM datasets_withdrawal WHERE finished_at IS NULL")
            return Held(
                {row[0]: Campaign(*row[1:]) for row in campaigns},
                [Clip(row[0], clip_of(row[1]), *row[2:]) for row in clips],
                [Task(*row) for row in tasks],
                [Annotation(*row) for row in annotations],
                [Assignment(*row) for row in assignments],
                next(unfinished)[0],
                frozenset(str(path.relative_to(vault)) for path in vault.rglob("*") if path.is_file()),
            )
    finally:
        connection.close()


def check(told: Diary, held: Held) -> list[Finding]:
    """Everything that is not as it was promised, once the site was left alone."""
    return [
        *at_any_moment(held),
        *_answers(told, held),
        *_counters(held),
        *_verdicts(held),
        *_forgotten(told, held),
        *_clips(told, held),
        *refusals(told),
    ]


def at_any_moment(held: Held) -> Iterator[Finding]:
    """What must hold even while everything breaks."""
    given = Counter((one.task_id, one.annotator) for one in held.annotations)
    for (task, annotator), times in given.items():
        if times > 1:
            yield Finding(Kind.DOUBLED, f"task {task} has {times} answers of person {annotator}")
    asked = Counter((one.task_id, one.annotator, one.role) for one in held.assignments)
    for (task, annotator, role), times in asked.items():
        if times > 1:
            yield Finding(Kind.DOUBLED, f"task {task} has {times} assignments ({role}) of person {annotator}")
    answers = Counter(one.task_id for one in held.annotations)
    for task_row in held.tasks:
        most = held.campaigns[task_row.campaign_id].most
        if answers[task_row.id] > most:
            what = f"task {task_row.id} has {answers[task_row.id]} answers, at most {most} are asked for"
            yield Finding(Kind.OVER_COLLECTED, what)


def _answers(told: Diary, held: Held) -> Iterator[Finding]:
    """Every acknowledged answer is there, of its person, on its clip, as it was given."""
    clips = {clip.id: clip.clip for clip in held.clips}
    tasks = {task.id: task for task in held.tasks}
    rows = {row.id: row for row in held.annotations}
    same: dict[tuple[int, int], set[Answered]] = defaultdict(set)
    for answered in told.answered:
        same[answered.annotator, answered.clip].add(answered)
    for (annotator, clip), acknowledged in same.items():
        ids, answers = {one.annotation for one in acknowledged}, {one.answer for one in acknowledged}
        if len(answers) > 1:
            yield Finding(Kind.WRONG, f"clip {clip}: person {annotator} was told that {answers} are all held")
        if len(ids) > 1:
            yield Finding(Kind.DOUBLED, f"clip {clip}: an answer of person {annotator} is held as {ids}")
        if clip in told.asked_to_forget or told.gone_people.get(annotator) == "remove":
            continue
        for number in ids:
            row = rows.get(number)
            if row is None:
                yield Finding(Kind.LOST, f"clip {clip}: answer {number} of person {annotator}")
                continue
            task = tasks[row.task_id]
            is_sealed = held.campaigns[task.campaign_id].asks_for_words
            if (row.annotator, clips[task.clip_id]) != (annotator, clip) or (
                not is_sealed and row.answer not in answers
            ):
                yield Finding(Kind.WRONG, f"clip {clip}: answer {number} is held as {row}, not {answers}")


def _counters(held: Held) -> Iterator[Finding]:
    answers = Counter(row.task_id for row in held.annotations)
    lent = Counter(row.task_id for row in held.assignments if row.state == "lent" and row.role != "repeat")
    for task in held.tasks:
        if task.annotation_count != answers[task.id]:
            what = f"task {task.id} counts {task.annotation_count} answers and has {answers[task.id]}"
            yield Finding(Kind.WRONG, what)
        if task.lent_count != lent[task.id]:
            what = f"task {task.id} counts {task.lent_count} lent places and has {lent[task.id]}"
            yield Finding(Kind.WRONG, what)


def _verdicts(held: Held) -> Iterator[Finding]:
    """What must follow from the answers, whoever gave them and however they are weighed."""
    given: dict[int, list[str]] = defaultdict(list)
    for row in held.annotations:
        given[row.task_id].append(row.answer)
    for task in held.tasks:
        campaign, answers = held.campaigns[task.campaign_id], given[task.id]
        if task.is_dirty:
            yield Finding(Kind.UNSETTLED, f"task {task.id} has answers that nobody counted")
            continue
        if task.adjudicated:
            continue
        if task.status == "open" and len(answers) >= campaign.most:
            yield Finding(Kind.UNSETTLED, f"task {task.id} is open with all {len(answers)} answers")
        if campaign.asks_for_words:
            continue
        if task.status == "settled" and task.answer not in answers:
            yield Finding(Kind.WRONG, f"task {task.id} is settled on {task.answer}, and has {answers}")
        if (
            len(answers) >= 3
            and len(set(answers)) == 1
            and (task.status, task.answer) != ("settled", answers[0])
        ):
            what = f"task {task.id} is {task.status} ({task.answer}), and all said {answers}"
            yield Finding(Kind.WRONG, what)


def _forgotten(told: Diary, held: Held) -> Iterator[Finding]:
    """What was taken back is gone, and was served to nobody from then on."""
    forgotten = told.forgotten()
    for clip in held.clips:
        if clip.clip in forgotten:
            yield Finding(Kind.NOT_FORGOTTEN, f"clip {clip.clip} was taken back and has its row {clip.id}")
    for heard in told.heard:
        since = forgotten.get(heard.clip)
        if since is not None and heard.asked_at > since and heard.status in SERVED:
            late = heard.asked_at - since
            yield Finding(Kind.NOT_FORGOTTEN, f"clip {heard.clip} was served {late:.2f} s after its opt-out")
    if held.erasures_under_way:
        yield Finding(Kind.NOT_FORGOTTEN, f"{held.erasures_under_way} erasures are not finished")
    removed = {person for person, answers in told.gone_people.items() if answers == "remove"}
    for person, number in Counter(row.annotator for row in held.annotations).items():
        if person in removed:
            yield Finding(Kind.NOT_FORGOTTEN, f"{number} answers of person {person}, who wanted them removed")
    for row in held.assignments:
        if row.annotator in told.gone_people:
            yield Finding(Kind.NOT_FORGOTTEN, f"an assignment of person {row.annotator}, who left: {row}")


def _clips(told: Diary, held: Held) -> Iterator[Finding]:
    clips = Counter(clip.clip for clip in held.clips)
    tasks = Counter(task.clip_id for task in held.tasks)
    for clip, times in clips.items():
        if times > 1:
            yield Finding(Kind.DOUBLED, f"clip {clip} is held {times} times")
    for clip_row in held.clips:
        if tasks[clip_row.id] != 1:
            yield Finding(Kind.WRONG, f"clip {clip_row.clip} is asked about {tasks[clip_row.id]} times")
    for clip in told.imported:
        if clip not in told.asked_to_forget and not clips[clip]:
            yield Finding(Kind.LOST, f"clip {clip} that an import brought in")
    for said in told.refused_imports:
        yield Finding(Kind.WRONG, f"an import refused a clip: {said}")
    names = {clip.stored_as for clip in held.clips}
    for name in sorted(held.files - names):
        yield Finding(Kind.ORPHANED, f"file {name} has no row")
    for name in sorted(names - held.files):
        yield Finding(Kind.ORPHANED, f"a row names file {name}, which is not there")


def refusals(told: Diary) -> Iterator[Finding]:
    """A broker that is away keeps no answer out; only a database that is away does."""
    for missed in list(told.missed):
        who = f"person {missed.annotator} was told {missed.status} by {missed.call}"
        if missed.status >= 500:
            if not told.database_was_away(missed.asked_at, missed.told_at):
                yield Finding(Kind.REFUSED, f"{who} while the database was there")
        elif missed.clip not in told.asked_to_forget and missed.annotator not in told.gone_people:
            yield Finding(Kind.WRONG, f"{who} about clip {missed.clip}, which nobody took back")

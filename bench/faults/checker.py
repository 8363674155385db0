"""Compares what clients were told with what is stored. Shares no code with the site: SQL, files, Python.

`check` is a pure function, so that tests can call it with made-up values.
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
SITE_MARK = "site.json"  # says whose vault it is


class Kind(StrEnum):
    LOST = "lost"  # an answer or clip that was acknowledged and is not stored
    DOUBLED = "doubled"  # stored more than once
    OVER_COLLECTED = "over-collected"  # more answers than the campaign's most
    UNSETTLED = "unsettled"  # answers that were not counted
    WRONG = "wrong"  # not stored as acknowledged, or not what follows from the answers
    NOT_FORGOTTEN = "not forgotten"  # still stored, or served, after it was withdrawn
    ORPHANED = "orphaned"  # a file without its row, or a row without its file
    REFUSED = "refused"  # an answer that the site could have stored


@dataclass(frozen=True)
class Finding:
    kind: Kind
    what: str


@dataclass(frozen=True)
class CampaignRow:
    slug: str
    most: int
    asks_for_words: bool


@dataclass(frozen=True)
class ClipRow:
    id: int
    clip: int  # its number of samples
    stored_as: str
    is_withdrawn: bool


@dataclass(frozen=True)
class TaskRow:
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
class AnnotationRow:
    id: int
    task_id: int
    annotator: int | None  # None: it was kept by someone who left
    answer: str  # empty if it is encrypted


@dataclass(frozen=True)
class AssignmentRow:
    task_id: int
    annotator: int
    role: str
    state: str


@dataclass(frozen=True)
class Stored:
    """Everything that the checker reads, as it was at one moment."""

    campaigns: dict[int, CampaignRow] = field(default_factory=dict)
    clips: list[ClipRow] = field(default_factory=list)
    tasks: list[TaskRow] = field(default_factory=list)
    annotations: list[AnnotationRow] = field(default_factory=list)
    assignments: list[AssignmentRow] = field(default_factory=list)
    erasures_under_way: int = 0
    files: frozenset[str] = frozenset()


def read(database: str, vault: Path) -> Stored:
    """Raises psycopg2.OperationalError while the database is down."""
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
            return Stored(
                {row[0]: CampaignRow(*row[1:]) for row in campaigns},
                [ClipRow(row[0], clip_of(row[1]), *row[2:]) for row in clips],
                [TaskRow(*row) for row in tasks],
                [AnnotationRow(*row) for row in annotations],
                [AssignmentRow(*row) for row in assignments],
                next(unfinished)[0],
                frozenset(_files(vault)),
            )
    finally:
        connection.close()


def _files(vault: Path) -> Iterator[str]:
    for path in vault.rglob("*"):
        if path.is_file() and path.name != SITE_MARK:
            yield str(path.relative_to(vault))


def check(diary: Diary, stored: Stored) -> list[Finding]:
    """Every broken promise, after the site was left alone for a while."""
    return [
        *at_any_moment(stored),
        *_answers(diary, stored),
        *_kept_answers(diary, stored),
        *_counters(stored),
        *_verdicts(stored),
        *_forgotten(diary, stored),
        *_clips(diary, stored),
        *refused(diary),
    ]


def at_any_moment(stored: Stored) -> Iterator[Finding]:
    """What must be true even during faults."""
    given = Counter((one.task_id, one.annotator) for one in stored.annotations if one.annotator is not None)
    for (task, annotator), times in given.items():
        if times > 1:
            yield Finding(Kind.DOUBLED, f"task {task} has {times} answers of person {annotator}")
    lent = Counter((one.task_id, one.annotator, one.role) for one in stored.assignments)
    for (task, annotator, role), times in lent.items():
        if times > 1:
            yield Finding(Kind.DOUBLED, f"task {task} has {times} assignments ({role}) of person {annotator}")
    answers = Counter(one.task_id for one in stored.annotations)
    for task_row in stored.tasks:
        most = stored.campaigns[task_row.campaign_id].most
        if answers[task_row.id] > most:
            what = f"task {task_row.id} has {answers[task_row.id]} answers, at most {most} are asked for"
            yield Finding(Kind.OVER_COLLECTED, what)


def _answers(diary: Diary, stored: Stored) -> Iterator[Finding]:
    """Every acknowledged answer is stored, by its person, for its clip, as it was given."""
    clips = {clip.id: clip.clip for clip in stored.clips}
    tasks = {task.id: task for task in stored.tasks}
    rows = {row.id: row for row in stored.annotations}
    same: dict[tuple[int, int], set[Answered]] = defaultdict(set)
    for answered in diary.answered:
        same[answered.annotator, answered.clip].add(answered)
    for (annotator, clip), acknowledged in same.items():
        ids, answers = {one.annotation for one in acknowledged}, {one.answer for one in acknowledged}
        if len(answers) > 1:
            yield Finding(
                Kind.WRONG, f"clip {clip}: person {annotator} was told that {answers} are all stored"
            )
        if len(ids) > 1:
            yield Finding(Kind.DOUBLED, f"clip {clip}: an answer of person {annotator} is stored as {ids}")
        if clip in diary.asked_to_forget or annotator in diary.leavers:
            continue
        for number in ids:
            row = rows.get(number)
            if row is None:
                yield Finding(Kind.LOST, f"clip {clip}: answer {number} of person {annotator}")
                continue
            task = tasks[row.task_id]
            is_sealed = stored.campaigns[task.campaign_id].asks_for_words
            if (row.annotator, clips[task.clip_id]) != (annotator, clip) or (
                not is_sealed and row.answer not in answers
            ):
                yield Finding(Kind.WRONG, f"clip {clip}: answer {number} is stored as {row}, not {answers}")


def _kept_answers(diary: Diary, stored: Stored) -> Iterator[Finding]:
    """Each answer that a leaver let stay is still there, as no one's; of sealed ones only their number."""
    clips = {clip.id: clip.clip for clip in stored.clips}
    tasks = {task.id: task for task in stored.tasks}
    sealed = {
        clips[task.clip_id]
        for task in stored.tasks
        if stored.campaigns[task.campaign_id].asks_for_words and task.clip_id in clips
    }
    expected = Counter(
        (clip, "" if clip in sealed else answer)
        for annotator, clip, answer in {(one.annotator, one.clip, one.answer) for one in diary.answered}
        if diary.leavers.get(annotator) == "keep" and clip not in diary.asked_to_forget
    )
    kept = [row for row in stored.annotations if row.annotator is None]
    found = Counter((clips[tasks[row.task_id].clip_id], row.answer) for row in kept)
    for (clip, answer), missing in (expected - found).items():
        yield Finding(Kind.LOST, f"clip {clip}: {missing} kept answers {answer}")


def _counters(stored: Stored) -> Iterator[Finding]:
    answers = Counter(row.task_id for row in stored.annotations)
    lent = Counter(row.task_id for row in stored.assignments if row.state == "lent" and row.role != "repeat")
    for task in stored.tasks:
        if task.annotation_count != answers[task.id]:
            what = f"task {task.id} counts {task.annotation_count} answers and has {answers[task.id]}"
            yield Finding(Kind.WRONG, what)
        if task.lent_count != lent[task.id]:
            what = f"task {task.id} counts {task.lent_count} lent places and has {lent[task.id]}"
            yield Finding(Kind.WRONG, what)


def _verdicts(stored: Stored) -> Iterator[Finding]:
    """What must follow from the answers, no matter who gave them and how they are weighed."""
    given: dict[int, list[str]] = defaultdict(list)
    for row in stored.annotations:
        given[row.task_id].append(row.answer)
    for task in stored.tasks:
        campaign, answers = stored.campaigns[task.campaign_id], given[task.id]
        if task.is_dirty:
            yield Finding(Kind.UNSETTLED, f"task {task.id} has answers that were not counted")
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
            what = f"task {task.id} is {task.status} ({task.answer}), and all answers are {answers}"
            yield Finding(Kind.WRONG, what)


def _forgotten(diary: Diary, stored: Stored) -> Iterator[Finding]:
    """What was withdrawn is gone, and was not served after that."""
    forgotten = diary.forgotten()
    for clip in stored.clips:
        if clip.clip in forgotten:
            yield Finding(
                Kind.NOT_FORGOTTEN, f"clip {clip.clip} was withdrawn and still has its row {clip.id}"
            )
    for heard in diary.heard:
        since = forgotten.get(heard.clip)
        if since is not None and heard.asked_at > since and heard.status in SERVED:
            late = heard.asked_at - since
            yield Finding(Kind.NOT_FORGOTTEN, f"clip {heard.clip} was served {late:.2f} s after its opt-out")
    if stored.erasures_under_way:
        yield Finding(Kind.NOT_FORGOTTEN, f"{stored.erasures_under_way} erasures are not finished")
    for person, number in Counter(row.annotator for row in stored.annotations).items():
        if person in diary.leavers:
            yield Finding(Kind.NOT_FORGOTTEN, f"{number} answers of person {person}, who left")
    for row in stored.assignments:
        if row.annotator in diary.leavers:
            yield Finding(Kind.NOT_FORGOTTEN, f"an assignment of person {row.annotator}, who left: {row}")


def _clips(diary: Diary, stored: Stored) -> Iterator[Finding]:
    clips = Counter(clip.clip for clip in stored.clips)
    tasks = Counter(task.clip_id for task in stored.tasks)
    for clip, times in clips.items():
        if times > 1:
            yield Finding(Kind.DOUBLED, f"clip {clip} is stored {times} times")
    for clip_row in stored.clips:
        if tasks[clip_row.id] != 1:
            yield Finding(Kind.WRONG, f"clip {clip_row.clip} has {tasks[clip_row.id]} tasks")
    for clip in diary.imported:
        if clip not in diary.asked_to_forget and not clips[clip]:
            yield Finding(Kind.LOST, f"clip {clip} that an import brought in")
    for output in diary.refused_imports:
        yield Finding(Kind.WRONG, f"an import refused a clip: {output}")
    names = {clip.stored_as for clip in stored.clips}
    for name in sorted(stored.files - names):
        yield Finding(Kind.ORPHANED, f"file {name} has no row")
    for name in sorted(names - stored.files):
        yield Finding(Kind.ORPHANED, f"a row names file {name}, which does not exist")


def refused(diary: Diary) -> Iterator[Finding]:
    """Answers may fail while the database is down, but not while the broker is."""
    for failed in list(diary.failed):
        who = f"person {failed.annotator} was told {failed.status} by {failed.call}"
        if failed.status >= 500:
            if not diary.database_was_down(failed.asked_at, failed.replied_at):
                yield Finding(Kind.REFUSED, f"{who} while the database was up")
        elif failed.clip not in diary.asked_to_forget and failed.annotator not in diary.leavers:
            yield Finding(Kind.WRONG, f"{who} about clip {failed.clip}, which was not withdrawn")

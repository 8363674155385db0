"""Lend tasks, hand in, skip, report, change: with `leases` the only writer of Assignment and Annotation.

Every change of an assignment or of a task's counters is made under that task's row lock. Lending
also holds the annotator's row, and never waits for a task (SKIP LOCKED), so the two cannot deadlock.
"""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Count, F, QuerySet
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce

from accounts import prepared
from accounts.models import Purpose, User
from datasets import normalise
from datasets.models import Annotation, Campaign, Clip, Example, Label, Task
from datasets.words import columns
from tagger.models import Assignment
from tagger.settling import queue

from . import candidates, controls, repeats, statements, variety
from .refusals import AnswerRefusal, AnswerRefused

MOST_HELD = 100  # nobody borrows a whole campaign
LAST = 10  # how many of one's answers can still be changed
SLACK = 0.1  # seconds by which a player may end later than the clip

State = Assignment.State
Role = Assignment.Role

REFUSAL_OF_CLOSED: dict[str, AnswerRefusal] = {
    State.DONE: AnswerRefusal.ALREADY_ANSWERED,
    State.SKIPPED: AnswerRefusal.ALREADY_SKIPPED,
    State.REPORTED: AnswerRefusal.ALREADY_REPORTED,
}


def lend(annotator: User, campaign: Campaign, count: int, now: datetime) -> list[Assignment]:
    """Up to `count` more tasks for this annotator; fewer when fewer are left for them.

    Never their own clip, never one that they answered, skipped or reported, nearest to done first. Among
    those that want answers some are controls and repeats; when none wants any, there are none of these.
    """
    with transaction.atomic():
        # One person's requests go one after another: two tabs never borrow the same task.
        if not _one_at_a_time(annotator):
            return []
        count = min(count, MOST_HELD - _number_held(annotator, now))
        if count <= 0:
            return []
        known = controls.pick(annotator, campaign, controls.due(annotator, campaign, count))
        again = repeats.pick(annotator, campaign, repeats.due(count - len(known)), now)
        wanted = _lend_wanted(annotator, campaign, count - len(known) - len(again), now)
        if not wanted:
            return []
        among = _record(known, annotator, now, Role.CONTROL) + _record(again, annotator, now, Role.REPEAT)
        for each in among:  # their places must not tell which they are
            wanted.insert(controls.dice.randint(0, len(wanted)), each)
        return _by_turns(wanted)


def _by_turns(lent: list[Assignment]) -> list[Assignment]:
    return variety.mixed(lent, [each.task.clip.contributor_id for each in lent])


def _lend_wanted(annotator: User, campaign: Campaign, count: int, now: datetime) -> list[Assignment]:
    lent: list[Assignment] = []
    heard = _heard_today(annotator, campaign, now) if campaign.contributor_cap else Counter[int]()
    while len(lent) < count:
        found = candidates.find(annotator, campaign, _used_up(heard, campaign), count - len(lent))
        if not found:
            break
        lent += _record([t for t in found if _within_cap(t, heard, campaign)], annotator, now, Role.VOTE)
        if not campaign.contributor_cap:
            break  # that was all there is
    return lent


def held(annotator: User, now: datetime) -> QuerySet[Assignment]:
    """What the annotator has borrowed and not handed in, oldest first."""
    return annotator.assignments.filter(state=State.LENT, expires_at__gt=now).order_by("lent_at", "id")


def at_hand(annotator: User, campaign: Campaign, now: datetime) -> list[Assignment]:
    """What the annotator has borrowed of a campaign, as far as it may still be heard, voices by turns."""
    live = Task.objects.live_for(Purpose.VOLUNTEERS, few=True).filter(campaign=campaign)
    return _by_turns(list(held(annotator, now).filter(task__in=live).select_related("task__clip")))


def renew(annotator: User, campaign: Campaign, count: int, now: datetime) -> list[Assignment]:
    """For a page that is opened (again): what is at hand already, then more up to `count`."""
    mine = at_hand(annotator, campaign, now)[:count]
    return mine + lend(annotator, campaign, count - len(mine), now)


def hand_in(annotator: User, assignment_id: int, answer: str, now: datetime) -> tuple[Annotation, bool]:
    """Store the answer; the annotation, and whether it is new. The same answer again is no error.

    Raises Assignment.DoesNotExist, also for another person's assignment, AnswerRefused and
    normalise.BadTranscript.
    """
    if annotation := statements.label(annotator, assignment_id, answer, now):
        is_new = True
    else:
        annotation, is_new = _hand_in(annotator, assignment_id, answer, now)
    if is_new:
        queue.request_settlement()
    return annotation, is_new


@transaction.atomic
def _hand_in(annotator: User, assignment_id: int, answer: str, now: datetime) -> tuple[Annotation, bool]:
    """Step by step, for everything that statements.label leaves alone: it refuses, finds a repeated call,
    and stores repeats, late answers and transcripts. tests/lending/test_rules_agree.py holds both together.
    """
    assignment = lock(annotator, assignment_id)
    answer = checked(answer, assignment.task.campaign)
    if assignment.role == Role.REPEAT:
        return _answer_repeat(assignment, answer, now)
    if assignment.state == State.DONE:
        return _stored_answer(assignment, answer), False
    _must_be_open(assignment)
    return _store(assignment, answer, now), True


def skip(annotator: User, assignment_id: int) -> None:
    """Give the task back; it is not offered to this person again. Skipping twice is no error."""
    with transaction.atomic():
        assignment = lock(annotator, assignment_id)
        if assignment.state == State.SKIPPED:
            return
        if assignment.state in {State.DONE, State.REPORTED}:
            raise AnswerRefused(REFUSAL_OF_CLOSED[assignment.state])
        _close(assignment, State.SKIPPED)


def report(
    annotator: User, assignment_id: int, reason: str, now: datetime, part: tuple[float, float] | None = None
) -> None:
    """Hide the clip from everyone at once. Also after answering; reporting twice is no error.

    `part`: from where to where in the clip, in seconds.
    """
    _must_be_a_reason(reason)
    with transaction.atomic():
        assignment = lock(annotator, assignment_id)
        if part and not 0 <= part[0] < part[1] <= assignment.task.clip.seconds + SLACK:
            raise AnswerRefused(AnswerRefusal.NOT_A_PART, seconds=assignment.task.clip.seconds)
        if part:
            Assignment.objects.filter(pk=assignment.pk).update(part_from=part[0], part_to=part[1])
        _hide(assignment.task, now)
        if assignment.state != State.DONE:  # an answer stays counted as given
            _close(assignment, State.REPORTED, reason=reason)
        elif not assignment.reason:
            Assignment.objects.filter(pk=assignment.pk).update(reason=reason)


@transaction.atomic
def report_example(annotator: User, task: Task, reason: str, now: datetime) -> None:
    """Hide a clip from everyone at once that somebody heard as an example, and so without holding it."""
    _must_be_a_reason(reason)
    task = Task.objects.select_for_update(no_key=True).get(pk=task.pk)
    _hide(task, now)
    given = {"state": State.REPORTED, "reason": reason, "lent_at": now, "expires_at": now}
    Assignment.objects.update_or_create(given, task=task, annotator=annotator, role=Role.EXAMPLE)


def change(annotator: User, annotation_id: int, answer: str, now: datetime) -> Annotation:
    """Change one of the annotator's last answers.

    Raises Annotation.DoesNotExist, AnswerRefused and normalise.BadTranscript.
    """
    with transaction.atomic():
        annotation = (
            annotator.annotations.select_for_update(of=("task", "self"), no_key=True)
            .select_related("task__campaign", "task__clip__contributor__data_key")
            .get(pk=annotation_id)
        )
        _must_be_live(annotation.task.clip)
        if Example.objects.filter(task=annotation.task_id).exists():
            raise AnswerRefused(AnswerRefusal.SHOWN_AS_EXAMPLE)
        answer = checked(answer, annotation.task.campaign)
        last = annotator.annotations.order_by("-created_at", "-id").values_list("pk", flat=True)[:LAST]
        if annotation.pk not in list(last):
            if not repeats.change(annotation, answer):
                raise AnswerRefused(AnswerRefusal.NOT_AMONG_LAST, number=LAST)
            return annotation
        if answer != annotation.answer:
            annotation.answer, annotation.changed_at = answer, now
            annotation.save(update_fields=[*columns("answer"), "changed_at"])
            Task.objects.filter(pk=annotation.task_id).update(**_dirty(now))
            queue.request_settlement()
    return annotation


def playable(annotator: User, assignment_id: int, now: datetime) -> Clip:
    """The clip behind an assignment, for its holder's ears alone.

    Raises Assignment.DoesNotExist and AnswerRefused.
    """
    assignment = annotator.assignments.select_related("task__clip__contributor__data_key").get(
        pk=assignment_id
    )
    must_be_playable(assignment, now)
    return assignment.task.clip


def must_be_playable(assignment: Assignment, now: datetime) -> None:
    """Raises AnswerRefused: NOT_LENT or CLIP_GONE."""
    if assignment.state not in {State.LENT, State.DONE} or (
        assignment.state == State.LENT and assignment.expires_at <= now
    ):
        raise AnswerRefused(AnswerRefusal.NOT_LENT)
    _must_be_live(assignment.task.clip)


def checked(answer: str, campaign: Campaign) -> str:
    """The answer as it will be stored. Raises AnswerRefused and normalise.BadTranscript."""
    if campaign.kind == Campaign.Kind.WAKE_WORD:
        if answer not in Label.values:
            raise AnswerRefused(AnswerRefusal.NOT_A_LABEL, labels=", ".join(Label.values))
        return answer
    normalise.check(answer)
    return answer.strip()


def _one_at_a_time(annotator: User) -> bool:
    """Whether they are still here: whoever left meanwhile is lent nothing any more."""
    mine = User.objects.select_for_update(no_key=True).filter(pk=annotator.pk)
    return mine.values_list("is_active", flat=True).get()


def _number_held(annotator: User, now: datetime) -> int:
    [number] = prepared.one("number_held", NUMBER_HELD, (annotator.pk, now)) or [0]
    return int(number)


NUMBER_HELD = f"""
    SELECT count(*) FROM {Assignment._meta.db_table}
    WHERE annotator_id = %s AND state = 'lent' AND expires_at > %s::timestamptz
"""


def _record(found: list[Task], annotator: User, now: datetime, role: Role) -> list[Assignment]:
    return statements.leases(found, annotator, role, now, now + settings.LEASE) if found else []


def _heard_today(annotator: User, campaign: Campaign, now: datetime) -> Counter[int]:
    """How many clips of each contributor this annotator was lent in the last 24 hours."""
    rows = (
        annotator.assignments.filter(task__campaign=campaign, lent_at__gt=now - timedelta(days=1))
        .values_list("task__clip__contributor")
        .annotate(clips=Count("pk"))
    )
    return Counter(dict(rows))


def _used_up(heard: Counter[int], campaign: Campaign) -> list[int]:
    return [
        who for who, clips in heard.items() if campaign.contributor_cap and clips >= campaign.contributor_cap
    ]


def _within_cap(task: Task, heard: Counter[int], campaign: Campaign) -> bool:
    heard[task.clip.contributor_id] += 1
    return not campaign.contributor_cap or heard[task.clip.contributor_id] <= campaign.contributor_cap


def lock(annotator: User, assignment_id: int) -> Assignment:
    """With its task, clip and keys; its row and the task's are locked. Raises Assignment.DoesNotExist."""
    # The task first, as lending does: then whoever holds an assignment never waits for its task.
    assignment = (
        annotator.assignments.select_for_update(of=("task", "self"), no_key=True)
        .select_related("task__campaign", "task__clip__contributor__data_key")
        .get(pk=assignment_id)
    )
    if assignment.state == State.EXPIRED:
        _one_at_a_time(annotator)  # lending may be about to give it out anew to the same person
    return assignment


def _must_be_open(assignment: Assignment) -> None:
    task = assignment.task
    if assignment.state in {State.SKIPPED, State.REPORTED}:
        raise AnswerRefused(REFUSAL_OF_CLOSED[assignment.state])
    # A late answer is taken while there is room, counting the places that others hold now.
    taken = task.annotation_count + task.lent_count
    if assignment.state == State.EXPIRED and taken >= task.campaign.max_annotations:
        raise AnswerRefused(AnswerRefusal.TOO_LATE)
    _must_be_live(task.clip)


def _must_be_live(clip: Clip) -> None:
    if not _is_live(clip):
        raise AnswerRefused(AnswerRefusal.CLIP_GONE)


def _is_live(clip: Clip) -> bool:
    return Clip.objects.live_for(Purpose.VOLUNTEERS).filter(pk=clip.pk).exists()


def _store(assignment: Assignment, answer: str, now: datetime) -> Annotation:
    annotation = Annotation.objects.create(  # type: ignore[misc]
        task=assignment.task, annotator_id=assignment.annotator_id, answer=answer, created_at=now
    )
    _close(assignment, State.DONE, annotation_count=F("annotation_count") + 1, **_dirty(now))
    return annotation


def _stored_answer(assignment: Assignment, answer: str) -> Annotation:
    """The annotation that this assignment brought, if it is the same answer."""
    stored = assignment.task.annotations.get(annotator_id=assignment.annotator_id)
    if stored.answer != answer:
        raise AnswerRefused(AnswerRefusal.ANSWERED_DIFFERENTLY)
    return stored


def _answer_repeat(assignment: Assignment, answer: str, now: datetime) -> tuple[Annotation, bool]:
    """A repeat is answered like any other assignment; the annotation stays the first one."""
    annotation = assignment.task.annotations.get(annotator_id=assignment.annotator_id)
    annotation.task = assignment.task
    if assignment.state == State.DONE:
        repeat = repeats.newest(annotation)
        if repeat is None or repeat.answer != answer:
            raise AnswerRefused(AnswerRefusal.ANSWERED_DIFFERENTLY)
        return annotation, False
    _must_be_open(assignment)
    repeats.store(annotation, answer, now)
    _close(assignment, State.DONE)
    return annotation, True


def _must_be_a_reason(reason: str) -> None:
    if reason not in Assignment.Reason.values:
        raise AnswerRefused(AnswerRefusal.NOT_A_REASON, reasons=", ".join(Assignment.Reason.values))


def _hide(task: Task, now: datetime) -> None:
    Clip.objects.filter(pk=task.clip_id, hidden_at=None).update(hidden_at=now)


def _close(assignment: Assignment, state: str, reason: str = "", **counters: Combinable) -> None:
    if assignment.state == State.LENT and Role(assignment.role).takes_a_place:
        counters["lent_count"] = F("lent_count") - 1
    if counters:
        Task.objects.filter(pk=assignment.task_id).update(**counters)
    Assignment.objects.filter(pk=assignment.pk).update(state=state, reason=reason)


def _dirty(now: datetime) -> dict[str, Any]:
    return {"dirty_since": Coalesce("dirty_since", now)}

"""Lend tasks, hand in, skip, report, change: with `leases` the only writer of Assignment and Annotation.

An assignment and its task's counters change only under the task's row lock. Lending also locks the
annotator's row, and never waits for a task (SKIP LOCKED), so the two cannot deadlock.
"""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Count, F, QuerySet
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce

from accounts.models import Purpose, User
from datasets import normalise, taking_part
from datasets.models import Annotation, Campaign, Clip, Example, Label, Task
from datasets.words import columns
from tagger.models import Assignment, Report
from tagger.settling import queue

from . import candidates, controls, notes, quotas, repeats, reporting, statements, variety
from .refusals import AnswerRefusal, AnswerRefused

MAX_LEASES = 100  # of one annotator, so that no one borrows a whole campaign
CHANGEABLE = 10  # of an annotator's answers, the last ones
END_TOLERANCE = 0.1  # seconds by which a player may end later than the clip

State = Assignment.State
Role = Assignment.Role

REFUSAL_OF_CLOSED: dict[str, AnswerRefusal] = {
    State.DONE: AnswerRefusal.ALREADY_ANSWERED,
    State.SKIPPED: AnswerRefusal.ALREADY_SKIPPED,
    State.REPORTED: AnswerRefusal.ALREADY_REPORTED,
}


def lend(
    annotator: User, campaign: Campaign, count: int, now: datetime, has_quota: bool = True
) -> list[Assignment]:
    """Up to `count` more tasks for this annotator; fewer if fewer are left for them, or if their quota ends.

    Tasks nearest to done come first; never their own clip, nor one that they answered, skipped or reported.
    Controls and repeats are mixed in, but only among tasks that want answers.
    Raises quotas.QuotaReached if the quota allows none.
    """
    if not taking_part.may(annotator, campaign):
        return []
    with transaction.atomic():
        # One person's requests are serialised, so that two tabs never borrow the same task.
        if not _lock_annotator(annotator):
            return []
        allowed = quotas.lendable(annotator, now)
        count = min(count, MAX_LEASES - allowed.leases)
        if count <= 0:
            return []
        if has_quota and allowed.more is not None:
            if not allowed.more:
                raise quotas.lending_refused(annotator, now)
            count = min(count, allowed.more)
        # Tasks that want answers come first. If there are any, controls and repeats take the places of some;
        # the tasks themselves stay free for others.
        wanted = _find(annotator, campaign, count, now)
        if not wanted:
            return []
        picked = controls.pick(annotator, campaign, controls.due(annotator, campaign, count))
        repeated = repeats.pick(annotator, campaign, repeats.due(count - len(picked)), now)
        lent = _lease(wanted[: count - len(picked) - len(repeated)], annotator, now, Role.VOTE)
        mixed_in = _lease(picked, annotator, now, Role.CONTROL) + _lease(
            repeated, annotator, now, Role.REPEAT
        )
        for each in mixed_in:  # at random, as their positions must not reveal which they are
            lent.insert(controls.dice.randint(0, len(lent)), each)
        return _alternate_voices(lent)


def _alternate_voices(lent: list[Assignment]) -> list[Assignment]:
    return variety.alternate(lent, [each.task.clip.contributor_id for each in lent])


def _find(annotator: User, campaign: Campaign, count: int, now: datetime) -> list[Task]:
    """Up to `count` tasks that want answers, locked and within the contributor cap."""
    tasks: list[Task] = []
    heard = _heard_today(annotator, campaign, now) if campaign.contributor_cap else Counter[int]()
    while len(tasks) < count:
        found = candidates.find(annotator, campaign, _over_cap(heard, campaign), count - len(tasks), tasks)
        if not found:
            break
        tasks += _within_cap(found, heard, campaign)
        if not campaign.contributor_cap:
            break  # nothing was left out, so a second search would find no more
    return tasks


def leases(annotator: User, now: datetime) -> QuerySet[Assignment]:
    """The assignments that the annotator has borrowed and not handed in, oldest first."""
    return annotator.assignments.filter(state=State.LENT, expires_at__gt=now).order_by("lent_at", "id")


def playable_leases(annotator: User, campaign: Campaign, now: datetime) -> list[Assignment]:
    """The annotator's leases in this campaign whose clips may still be heard, with alternating voices."""
    live = Task.objects.live_for(Purpose.VOLUNTEERS, per_row=True).filter(campaign=campaign)
    return _alternate_voices(list(leases(annotator, now).filter(task__in=live).select_related("task__clip")))


def top_up(annotator: User, campaign: Campaign, count: int, now: datetime) -> list[Assignment]:
    """`count` playable leases: existing ones, then as many more as can be lent.

    Raises quotas.QuotaReached if there is none.
    """
    existing = playable_leases(annotator, campaign, now)[:count]
    if len(existing) >= count:
        return existing
    try:
        return existing + lend(annotator, campaign, count - len(existing), now)
    except quotas.QuotaReached:
        if existing:
            return existing
        raise


def hand_in(
    annotator: User, assignment_id: int, answer: str, now: datetime, several_speakers: bool = False
) -> tuple[Annotation, bool]:
    """Store the answer; returns the annotation and whether it is new. The same answer again is no error.

    `several_speakers` is stored with a new answer. It is a mark beside it, not an answer.

    Raises Assignment.DoesNotExist, also for another person's assignment, AnswerRefused and
    normalise.BadTranscript.
    """
    if annotation := statements.store_label(annotator, assignment_id, answer, now, several_speakers):
        is_new = True
    else:
        annotation, is_new = _hand_in(annotator, assignment_id, answer, now, several_speakers)
    if is_new:
        queue.request_settlement()
    return annotation, is_new


@transaction.atomic
def _hand_in(
    annotator: User, assignment_id: int, answer: str, now: datetime, several_speakers: bool = False
) -> tuple[Annotation, bool]:
    """Step by step, for all that statements.store_label leaves alone: refusals, answers handed in again,
    repeats, late answers, transcripts. tests/lending/test_rules_agree.py checks that the two agree.
    """
    assignment = lock(annotator, assignment_id)
    answer = checked(answer, assignment.task.campaign)
    if assignment.role == Role.REPEAT:
        return _answer_repeat(assignment, answer, now, several_speakers)
    if assignment.state == State.DONE:
        return _stored_answer(assignment, answer), False
    _must_be_open(assignment)
    return _store(assignment, answer, now, several_speakers), True


def skip(annotator: User, assignment_id: int, now: datetime, has_quota: bool = True) -> None:
    """Give the task back: it is not offered to this person again. Skipping twice is no error.

    Raises quotas.QuotaReached.
    """
    with transaction.atomic():
        assignment = lock(annotator, assignment_id)
        if assignment.state == State.SKIPPED:
            return
        if assignment.state in {State.DONE, State.REPORTED}:
            raise AnswerRefused(REFUSAL_OF_CLOSED[assignment.state])
        _lock_annotator(annotator)
        if has_quota:
            quotas.check_skip(annotator, now)
        _close(assignment, State.SKIPPED)


def report(
    annotator: User,
    assignment_id: int,
    reason: str,
    now: datetime,
    part: reporting.Part | None = None,
    note: str = "",
) -> None:
    """Report the clip, also after answering it: reporting.store says when that hides it from everyone.

    `part`: the start and the end of the part that is reported, in seconds. `note` is for reviewers.
    Reporting twice is no error. Raises AnswerRefused and quotas.QuotaReached.
    """
    _check_reason(reason)
    note = notes.checked(note)
    with transaction.atomic():
        assignment = lock(annotator, assignment_id)
        if part and not 0 <= part[0] < part[1] <= assignment.task.clip.seconds + END_TOLERANCE:
            raise AnswerRefused(AnswerRefusal.NOT_A_PART, seconds=assignment.task.clip.seconds)
        _lock_annotator(annotator)
        reporting.store(annotator, assignment.task, reason, part, now, note)
        if assignment.state != State.DONE:  # an answer stays counted
            _close(assignment, State.REPORTED)


@transaction.atomic
def report_example(annotator: User, task: Task, reason: str, now: datetime) -> None:
    """Report a clip that the annotator heard as an example, without a lease, by the same rules.

    Raises quotas.QuotaReached.
    """
    _check_reason(reason)
    task = Task.objects.select_for_update(no_key=True).get(pk=task.pk)
    if _lock_annotator(annotator):
        reporting.store(annotator, task, reason, None, now)


def change(
    annotator: User, annotation_id: int, answer: str, now: datetime, several_speakers: bool | None = None
) -> Annotation:
    """Change one of the annotator's last answers, and unless it is None, the mark of several speakers.

    Raises Annotation.DoesNotExist, AnswerRefused and normalise.BadTranscript.
    """
    with transaction.atomic():
        annotation = (
            annotator.annotations.select_for_update(of=("task", "self"), no_key=True)
            .select_related("task__campaign", "task__clip__contributor__data_key")
            .get(pk=annotation_id)
        )
        _must_be_as_heard(annotation.task.clip)
        if Example.objects.filter(task=annotation.task_id).exists():
            raise AnswerRefused(AnswerRefusal.SHOWN_AS_EXAMPLE)
        answer = checked(answer, annotation.task.campaign)
        last = annotator.annotations.order_by("-created_at", "-id").values_list("pk", flat=True)[:CHANGEABLE]
        if annotation.pk not in list(last):
            if not repeats.change(annotation, answer, several_speakers):
                raise AnswerRefused(AnswerRefusal.NOT_AMONG_LAST, number=CHANGEABLE)
            return annotation
        if several_speakers not in {None, annotation.several_speakers}:  # no vote: nothing is counted again
            annotation.several_speakers = bool(several_speakers)
            annotation.save(update_fields=["several_speakers"])
        if answer != annotation.answer:
            annotation.answer, annotation.changed_at = answer, now
            annotation.save(update_fields=[*columns("answer"), "changed_at"])
            Task.objects.filter(pk=annotation.task_id).update(**_dirty(now))
            queue.request_settlement()
    return annotation


def playable(annotator: User, assignment_id: int, now: datetime) -> Clip:
    """The clip of an assignment, for its holder only.

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
    normalise.check(answer, campaign.language)
    return answer.strip()


def _lock_annotator(annotator: User) -> bool:
    """Lock the annotator's row; False if they left since the request began."""
    row = User.objects.select_for_update(no_key=True).filter(pk=annotator.pk)
    return row.values_list("is_active", flat=True).get()


def _lease(tasks: list[Task], annotator: User, now: datetime, role: Role) -> list[Assignment]:
    return statements.store_leases(tasks, annotator, role, now, now + settings.LEASE) if tasks else []


def _heard_today(annotator: User, campaign: Campaign, now: datetime) -> Counter[int]:
    """How many clips of each contributor this annotator was lent in the last 24 hours."""
    rows = (
        annotator.assignments.filter(task__campaign=campaign, lent_at__gt=now - timedelta(days=1))
        .values_list("task__clip__contributor")
        .annotate(clips=Count("pk"))
    )
    return Counter(dict(rows))


def _over_cap(heard: Counter[int], campaign: Campaign) -> list[int]:
    """The contributors of whom this annotator may hear no more clips today."""
    cap = campaign.contributor_cap
    return [contributor for contributor, clips in heard.items() if cap and clips >= cap]


def _within_cap(tasks: list[Task], heard: Counter[int], campaign: Campaign) -> list[Task]:
    """The tasks without those over the contributor cap. Counts all of them in `heard`."""
    kept = []
    for task in tasks:
        heard[task.clip.contributor_id] += 1
        if not campaign.contributor_cap or heard[task.clip.contributor_id] <= campaign.contributor_cap:
            kept.append(task)
    return kept


def lock(annotator: User, assignment_id: int) -> Assignment:
    """The assignment with its task, clip and keys; its row and the task's are locked.

    Raises Assignment.DoesNotExist.
    """
    # The task first, as in lending, so that no transaction that has locked an assignment waits for its task.
    assignment = (
        annotator.assignments.select_for_update(of=("task", "self"), no_key=True)
        .select_related("task__campaign", "task__clip__contributor__data_key")
        .get(pk=assignment_id)
    )
    if assignment.state == State.EXPIRED:
        _lock_annotator(annotator)  # lending may be about to give it to the same person again
    return assignment


def _must_be_open(assignment: Assignment) -> None:
    task = assignment.task
    if assignment.state in {State.SKIPPED, State.REPORTED}:
        raise AnswerRefused(REFUSAL_OF_CLOSED[assignment.state])
    # A late answer is taken while there is room, counting the places that others hold now.
    taken = task.annotation_count + task.lent_count
    most = max(task.campaign.max_annotations, task.wanted_by_reviewer, task.wanted)
    if assignment.state == State.EXPIRED and taken >= most:
        raise AnswerRefused(AnswerRefusal.TOO_LATE)
    _must_be_live(task.clip)


def _must_be_live(clip: Clip) -> None:
    if not _is_live(clip):
        raise AnswerRefused(AnswerRefusal.CLIP_GONE)


def _must_be_as_heard(clip: Clip) -> None:
    """Not once seconds of it are silenced: who heard them could write down again what was said."""
    if not Clip.objects.live_for(Purpose.VOLUNTEERS).filter(pk=clip.pk, silenced=[]).exists():
        raise AnswerRefused(AnswerRefusal.CLIP_GONE)


def _is_live(clip: Clip) -> bool:
    return Clip.objects.live_for(Purpose.VOLUNTEERS).filter(pk=clip.pk).exists()


def _store(assignment: Assignment, answer: str, now: datetime, several_speakers: bool) -> Annotation:
    annotation = Annotation.objects.create(  # type: ignore[misc]
        task=assignment.task,
        annotator_id=assignment.annotator_id,
        answer=answer,
        several_speakers=several_speakers,
        created_at=now,
    )
    _close(assignment, State.DONE, annotation_count=F("annotation_count") + 1, **_dirty(now))
    return annotation


def _stored_answer(assignment: Assignment, answer: str) -> Annotation:
    """The annotation from this assignment. Raises AnswerRefused unless it is the same answer."""
    stored = assignment.task.annotations.get(annotator_id=assignment.annotator_id)
    if stored.answer != answer:
        raise AnswerRefused(AnswerRefusal.ANSWERED_DIFFERENTLY)
    return stored


def _answer_repeat(
    assignment: Assignment, answer: str, now: datetime, several_speakers: bool
) -> tuple[Annotation, bool]:
    """A repeat is answered like any other assignment; the annotation stays the first one."""
    annotation = assignment.task.annotations.get(annotator_id=assignment.annotator_id)
    annotation.task = assignment.task
    if assignment.state == State.DONE:
        repeat = repeats.newest(annotation)
        if repeat is None or repeat.answer != answer:
            raise AnswerRefused(AnswerRefusal.ANSWERED_DIFFERENTLY)
        return annotation, False
    _must_be_open(assignment)
    repeats.store(annotation, answer, now, several_speakers)
    _close(assignment, State.DONE)
    return annotation, True


def _check_reason(reason: str) -> None:
    if reason not in Report.Reason.values:
        raise AnswerRefused(AnswerRefusal.NOT_A_REASON, reasons=", ".join(Report.Reason.values))


def _close(assignment: Assignment, state: str, **counters: Combinable) -> None:
    if assignment.state == State.LENT and Role(assignment.role).takes_a_place:
        counters["lent_count"] = F("lent_count") - 1
    if counters:
        Task.objects.filter(pk=assignment.task_id).update(**counters)
    Assignment.objects.filter(pk=assignment.pk).update(state=state)


def _dirty(now: datetime) -> dict[str, Any]:
    return {"dirty_since": Coalesce("dirty_since", now)}

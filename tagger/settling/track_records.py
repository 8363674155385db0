"""Track records: whose answers can settle a task together with those of new people.

Someone gains one by a right answer to a trusted control, by enough answers from an account that is old
enough (both learned of in tagger.learning.earned), or by being a reviewer. Web processes load this, hence
without the consensus engine.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce
from rapidfuzz.distance import Levenshtein

from accounts import prepared
from accounts.models import GONE, Role, User
from datasets import normalise
from datasets.models import Annotation, Campaign, Task
from tagger.models import Assignment, Control, TrackRecord

BATCH_SIZE = 1_000
# The least share of right words in a transcript that is a right answer to a control.
RIGHT_WORDS = 0.8


def among(kind: str, language: str, people: Collection[int]) -> set[int]:
    """Those of these people who have a track record."""
    rows = TrackRecord.objects.filter(kind=kind, language=language, annotator__in=people)
    found = set(rows.values_list("annotator", flat=True))
    others = set(people) - found
    return found | set(reviewers(others).values_list("pk", flat=True)) if others else found


def reviewers(people: Collection[int]) -> QuerySet[User]:
    """Those of these people who review. The next refit gives them a track record that outlasts the role."""
    is_reviewer = Q(roles__contains=[Role.REVIEWER]) | Q(is_superuser=True)
    return User.objects.filter(is_reviewer, is_active=True, pk__in=people)


def may_help(person: User, campaign: Campaign) -> bool:
    """Whether this person's answers can settle tasks of this campaign that await a track record."""
    if person.has_role(Role.REVIEWER):
        return True
    values = (person.pk, campaign.kind, campaign.language)
    return prepared.one("has_track_record", HAS_TRACK_RECORD, values) is not None


HAS_TRACK_RECORD = f"""
    SELECT 1 FROM {TrackRecord._meta.db_table} WHERE annotator_id = %s AND kind = %s AND language = %s
"""


@transaction.atomic
def grant(kind: str, language: str, people: Collection[int]) -> None:
    """Give these people a track record, unless they have it."""
    if not people:
        return
    rows = [TrackRecord(annotator_id=each, kind=kind, language=language) for each in sorted(people)]
    TrackRecord.objects.bulk_create(rows, ignore_conflicts=True, batch_size=BATCH_SIZE)
    # As after a refit, none of a person who left escapes: this waits for an erasure, or an erasure for this.
    connection.check_constraints()
    gone = User.objects.filter(pk__in=people, username__startswith=GONE)
    TrackRecord.objects.filter(kind=kind, language=language, annotator__in=gone).delete()


def grant_for_controls(kind: str, language: str, tasks: Collection[Task] | None = None) -> None:
    """Give one to each who answered a trusted control rightly: one of these tasks, or any of the crowd."""
    trusted = Control.objects.trusted().filter(campaign__kind=kind, campaign__language=language)
    if tasks is not None:
        trusted = trusted.filter(task__in=[task.pk for task in tasks])
    has_one = TrackRecord.objects.filter(annotator=OuterRef("annotator"), kind=kind, language=language)
    opened = answers_to(trusted).filter(~Exists(has_one))
    right = {given.voter for given in opened.iterator(chunk_size=BATCH_SIZE) if is_right(given)}
    grant(kind, language, right)


def newest_answers_to_controls(campaign: Campaign) -> QuerySet[Annotation]:
    """Those to the campaign's trusted controls, the newest first."""
    given = answers_to(Control.objects.trusted().filter(campaign=campaign)).filter(
        task__clip__withdrawal=None
    )
    return given.order_by("-created_at", "-pk")


def answers_to(controls: QuerySet[Control]) -> QuerySet[Annotation]:
    """What people answered to these when they were controls, with all that opening the words takes.

    Whoever answered one before it was a control had a part in its answer.
    """
    given = Annotation.objects.filter(
        task__control__in=controls,
        task__assignments__annotator=F("annotator"),
        task__assignments__role=Assignment.Role.CONTROL,
        task__assignments__state=Assignment.State.DONE,
    )
    return given.select_related("task__campaign", "task__clip__contributor__data_key", "task__control")


def is_right(given: Annotation) -> bool:
    task = given.task
    control: Any = task.control
    control.task = task  # whose key opens both
    if not task.campaign.asks_for_words:
        return bool(given.answer == control.answer)
    said, written = (normalise.words(each.answer, task.campaign.language) for each in (control, given))
    return Levenshtein.normalized_similarity(said, written) >= RIGHT_WORDS


def recount(now: datetime) -> int:
    """Let all tasks that awaited a track record which someone has gained be settled again.

    Returns how many. May be killed and run again: a track record stays new until this was done for it.
    """
    found = 0
    for record in TrackRecord.objects.filter(is_new=True).order_by("pk")[:BATCH_SIZE]:
        # Read after the commit of the track record: an answer that is not among these is settled with it.
        answered = list(
            Annotation.objects.filter(annotator=record.annotator_id).values_list("task", flat=True)
        )
        for start in range(0, len(answered), BATCH_SIZE):
            found += _mark_dirty(answered[start : start + BATCH_SIZE], record, now)
        TrackRecord.objects.filter(pk=record.pk).update(is_new=False)
    return found


@transaction.atomic
def _mark_dirty(tasks: list[int], record: TrackRecord, now: datetime) -> int:
    of_crowd = Task.objects.filter(campaign__kind=record.kind, campaign__language=record.language)
    waiting = of_crowd.filter(pk__in=tasks, awaits_record=True).order_by("pk")
    # Locked in order, as everywhere that several tasks are locked.
    locked = list(waiting.select_for_update(of=("self",), no_key=True).values_list("pk", flat=True))
    return Task.objects.filter(pk__in=locked).update(dirty_since=Coalesce("dirty_since", now))

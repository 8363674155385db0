"""Make the answers that a person leaves behind no one's: not even the database can tell whose they were.

A kept answer has no annotator. Consensus needs only to know that two answers to one task are two people's,
and no one answers a task twice, so each answer is a voter of its own, under a random number. Nothing is left
by which the answers of one person could be put together again:

- their numbers and their places in the table are drawn at random, because both followed the time;
- times are cut to the quarter, also those at which a task that has such an answer was settled or disputed;
- what the person's answers weigh is reduced to one of three weights (tagger.settling.kept_weights), and the
  certificates that hold their exact matrix are made again;
- answers of people who left earlier are written again together with theirs, so that neither the order of the
  rows, nor the transaction that wrote them, nor the hour of a certificate belongs to one person. The first
  person who leaves has no such company: then all kept answers are theirs, with no name.
"""

import secrets
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from typing import Any

from django.db import connection
from django.db.models.functions import Coalesce, TruncQuarter

from accounts.models import User
from datasets.models import Annotation, Task, Withdrawal
from tagger.models import Objection, Repeat, ReviewItem
from tagger.settling import kept_weights

BATCH_SIZE = 100
COMPANY = 2  # answers of earlier leavers that are written again for each of the person's
LOWEST = -(2**62)

AVERAGE = Annotation.Weight.AVERAGE

Weights = dict[tuple[str, str], Annotation.Weight]


def owed() -> list[int]:
    """Finished erasures whose kept answers still name their person; those under way see to it themselves."""
    unnamed = Withdrawal.objects.filter(keep_answers=True, answers_unnamed_at=None)
    return list(unnamed.exclude(finished_at=None).order_by("pk").values_list("pk", flat=True))


def batches(person: User) -> Iterator[list[int]]:
    """The person's answers, in random order."""
    theirs = list(person.annotations.values_list("pk", flat=True))
    secrets.SystemRandom().shuffle(theirs)
    for start in range(0, len(theirs), BATCH_SIZE):
        yield theirs[start : start + BATCH_SIZE]


def unname(person: User, batch: Collection[int], now: datetime) -> dict[str, int]:
    """Make these answers no one's; returns what was erased of them. Call it in a transaction.

    Their tasks are settled again by the sweep, which makes their certificates.
    """
    tasks = list(person.annotations.filter(pk__in=batch).values_list("task", flat=True))
    company = _some_kept(COMPANY * len(tasks))
    # Tasks are locked first, as everywhere that an annotation changes. Another worker may have rewritten some
    # of the answers until then; the statement below passes over those.
    everywhere = sorted({*tasks, *company.values()})
    list(Task.objects.select_for_update(no_key=True).filter(pk__in=everywhere).order_by("pk"))
    theirs = person.annotations.filter(pk__in=batch)
    weights = _weights(person)
    # What a campaign's owner gave less weight does not get it back because its annotator left.
    less = set(person.person_weights.filter(factor__lt=1).values_list("campaign", flat=True))
    crowds = theirs.values_list("pk", "task__campaign", "task__campaign__kind", "task__campaign__language")
    given = {
        pk: Annotation.Weight.LITTLE if campaign in less else weights.get((kind, language), AVERAGE)
        for pk, campaign, kind, language in crowds
    }
    for kind, language in person.track_records.values_list("kind", "language"):
        of_crowd = Task.objects.filter(campaign__kind=kind, campaign__language=language)
        of_crowd.filter(pk__in=tasks).update(kept_record=True)
    repeats = Repeat.objects.filter(annotation__in=given).delete()[0]
    objections = Objection.objects.filter(annotation__in=given).erase()
    _rewrite(given | dict.fromkeys(company))
    _blur(everywhere, now)
    return {"answer_names": len(given), "repeats": repeats, "objections": objections}


def is_done(person: User) -> bool:
    return not person.annotations.exists()


def unname_decisions(person: User) -> int:
    """What the person decided stays decided, by no one; returns how many decisions that are."""
    return person.decisions.update(reviewer=None)


def unname_checks(person: User) -> int:
    """A clip that they helped to clear stays cleared, by no one, at no exact time; returns how many."""
    person.privacy_checks.filter(done_at=None).delete()
    quarter = {name: TruncQuarter(name, tzinfo=UTC) for name in ("lent_until", "sound_at", "done_at")}
    return person.privacy_checks.update(checker=None, heard=None, **quarter)


def _weights(person: User) -> Weights:
    """What the person's answers will weigh, by kind and language; missing where nothing is known."""
    rows = person.reliabilities.values_list("crowd__kind", "crowd__language", "score", "skill")
    return {(kind, language): kept_weights.of_person(kind, *figures) for kind, language, *figures in rows}


def _some_kept(number: int) -> dict[int, int]:
    """Up to `number` kept answers, at random, and their tasks: their numbers are random, so any run is."""
    kept = Annotation.objects.filter(pk__lt=0).order_by("pk").values_list("pk", "task")
    start = _random_number()
    after = dict(kept.filter(pk__gte=start)[:number])
    return after | dict(kept.filter(pk__lt=start)[: number - len(after)])


def _random_number() -> int:
    return LOWEST + secrets.randbelow(-LOWEST)


def _rewrite(answers: dict[int, Any]) -> None:
    """Write these answers again, in random order, without annotator and exact time.

    `answers`: their numbers and weights; None for one that has a weight already. They are deleted and
    inserted, because an update would keep the order in which they came.
    """
    old, new = list(answers), [_random_number() for _ in answers]
    with connection.cursor() as cursor:
        cursor.execute(REWRITE, [old, old, new, list(answers.values())])


# Only the name of the table is formatted in.
REWRITE = f"""
    WITH old AS (DELETE FROM {Annotation._meta.db_table} WHERE id = ANY(%s::bigint[]) RETURNING *)
    INSERT INTO {Annotation._meta.db_table}
        (id, task_id, annotator_id, kept_weight, plain_answer, sealed_answer, several_speakers,
            created_at, changed_at)
    SELECT made.id, old.task_id, NULL, COALESCE(old.kept_weight, made.weight),
        old.plain_answer, old.sealed_answer, old.several_speakers,
        date_trunc('quarter', old.created_at, 'UTC'), NULL
    FROM unnest(%s::bigint[], %s::bigint[], %s::smallint[]) AS made (old, id, weight)
    JOIN old ON old.id = made.old
    ORDER BY made.id
"""


def _blur(tasks: list[int], now: datetime) -> None:
    """Erase from these tasks what tells of one answer: exact times, and the certificate with its matrix."""
    Task.objects.filter(pk__in=tasks).update(
        plain_certificate={},
        sealed_certificate=b"",
        settled_at=TruncQuarter("settled_at", tzinfo=UTC),
        dirty_since=Coalesce("dirty_since", now),
    )
    ReviewItem.objects.filter(task__in=tasks).update(opened_at=TruncQuarter("opened_at", tzinfo=UTC))

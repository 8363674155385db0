"""Learn each crowd anew from all of its annotations: the only writer of Crowd and Reliability.

What was learned weighs the next answers; a task whose verdict it changes is marked to be counted again.
"""

from datetime import datetime

from django.db import connection, transaction
from django.db.models.functions import Coalesce

from datasets.models import Campaign, Task
from tagger.models import Crowd, Reliability
from tagger.settling import engine

from . import haste, labels, transcripts
from .learned import Learned

AT_ONCE = 20_000
# Advisory locks of the refits: one for each kind and language.
REFIT_LOCK = 7_304


def crowds() -> list[tuple[str, str]]:
    """Every kind and language that somebody is asked about."""
    return sorted(set(Campaign.objects.values_list("kind", "language")))


@transaction.atomic
def refit(kind: str, language: str, now: datetime) -> int:
    """Learn one crowd; how many annotations that took. Of two at the same time the second does nothing."""
    if not _alone(kind, language):
        return 0
    hurried = haste.shares(kind, language, now)
    learn = labels.learn if engine.asks_for_labels(kind) else transcripts.learn
    learned = learn(kind, language, hurried)
    if not learned.answers:
        return 0
    _store(kind, language, learned, hurried, now)
    _mark(sorted(learned.changed), now)
    return sum(learned.answers.values())


def _alone(kind: str, language: str) -> bool:
    with connection.cursor() as cursor:
        which = f"{kind} {language}"
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, hashtext(%s))", [REFIT_LOCK, which])
        return bool(cursor.fetchone()[0])


def _store(kind: str, language: str, learned: Learned, hurried: dict[int, float], now: datetime) -> None:
    crowd, _is_new = Crowd.objects.update_or_create(
        kind=kind,
        language=language,
        defaults={
            "shared": learned.shared,
            "annotations": sum(learned.answers.values()),
            "fitted_at": now,
        },
    )
    rows = [
        Reliability(
            crowd=crowd,
            annotator_id=who,
            skill=skill,
            score=learned.scores[who],
            answers=learned.answers[who],
            hurried=hurried.get(who, 0.0),
        )
        for who, skill in learned.skills.items()
    ]
    Reliability.objects.bulk_create(
        rows,
        batch_size=AT_ONCE,
        update_conflicts=True,
        unique_fields=["crowd", "annotator"],
        update_fields=["skill", "score", "answers", "hurried"],
    )


def _mark(task_ids: list[int], now: datetime) -> None:
    """The sweep counts them again."""
    for start in range(0, len(task_ids), AT_ONCE):
        some = Task.objects.filter(pk__in=task_ids[start : start + AT_ONCE])
        some.update(dirty_since=Coalesce("dirty_since", now))

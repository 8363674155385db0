"""Refit each crowd from all of its annotations: the only writer of Crowd, Reliability, and what campaigns
have of both.

The next answers are weighed by it, and those who earned a track record get it. A task whose verdict or
confidence it changes, settled or not, is settled again.
"""

from datetime import datetime

from django.db import connection, transaction
from django.db.models import QuerySet
from django.db.models.functions import Coalesce

from accounts.models import GONE, User
from datasets.models import Campaign, Task
from tagger.models import CampaignCrowd, CampaignReliability, Crowd, Reliability
from tagger.settling import engine, version

from . import earned, fast_answers, labellers, recomputing, transcribers
from .learned import Learned, OfCampaign

BATCH_SIZE = 20_000
# Advisory locks, one for each kind and language, so that two refits of a crowd never run together.
REFIT_LOCK = 7_304


def crowds() -> list[tuple[str, str]]:
    """The kind and language of every crowd."""
    return sorted(set(Campaign.objects.values_list("kind", "language")))


def refit(kind: str, language: str, now: datetime) -> int:
    """Refit one crowd; returns from how many annotations. If a refit of it is running, does nothing."""
    learned = _learn(kind, language, now)
    if learned is None:
        return 0
    # After the commit: no answer waits for it, and a task that is settled meanwhile has the new crowd.
    if not recomputing.is_owed_whole(kind, language):
        recomputing.mark(learned.changed, now)
        recomputing.check_older(kind, language, learned.compared_from, now)
    return sum(learned.answers.values())


@transaction.atomic
def _learn(kind: str, language: str, now: datetime) -> Learned | None:
    """What was learned and stored, or None."""
    if not _try_lock(kind, language):
        return None
    too_fast = fast_answers.too_fast_shares(kind, language, now)
    if engine.asks_for_labels(kind):
        learned = labellers.learn(kind, language, too_fast)
    else:
        learned = transcribers.learn(kind, language)
    if not learned.answers:
        return None
    _store(kind, language, learned, too_fast, now)
    earned.grant(kind, language, learned, now)
    _forget_people_who_left(kind, language)
    _mark_dirty(sorted(earned.no_longer_waiting(kind, language)), now)
    return learned


def _try_lock(kind: str, language: str) -> bool:
    with connection.cursor() as cursor:
        which = f"{kind} {language}"
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, hashtext(%s))", [REFIT_LOCK, which])
        return bool(cursor.fetchone()[0])


def _store(kind: str, language: str, learned: Learned, too_fast: dict[int, float], now: datetime) -> None:
    before = Crowd.objects.filter(kind=kind, language=language).values_list("engine", flat=True).first()
    crowd, _is_new = Crowd.objects.update_or_create(
        kind=kind,
        language=language,
        defaults={
            "shared": learned.shared,
            "annotations": sum(learned.answers.values()),
            "fitted_at": now,
            "engine": version.VERSION,
        },
    )
    if before is None or before < version.VERSION:
        recomputing.recount_all(kind, language)
    rows = [
        Reliability(
            crowd=crowd,
            annotator_id=who,
            skill=skill,
            score=learned.scores[who],
            answers=learned.answers[who],
            hurried=too_fast.get(who, 0.0),
        )
        for who, skill in learned.skills.items()
    ]
    Reliability.objects.bulk_create(
        rows,
        batch_size=BATCH_SIZE,
        update_conflicts=True,
        unique_fields=["crowd", "annotator"],
        update_fields=["skill", "score", "answers", "hurried"],
    )
    # Nothing stays of answers that are gone, as those about clips that were opted out.
    Reliability.objects.filter(crowd=crowd).exclude(annotator__in=learned.skills).delete()
    CampaignReliability.objects.filter(campaign__in=_other_campaigns(kind, language, learned)).delete()
    for campaign, own in learned.campaigns.items():
        _store_campaign(campaign, own)


def _store_campaign(campaign: int, own: OfCampaign) -> None:
    CampaignCrowd.objects.update_or_create(campaign_id=campaign, defaults={"shared": own.shared})
    rows = [
        CampaignReliability(
            campaign_id=campaign,
            annotator_id=who,
            skill=skill,
            score=own.scores[who],
            answers=own.answers[who],
        )
        for who, skill in own.skills.items()
    ]
    CampaignReliability.objects.bulk_create(
        rows,
        batch_size=BATCH_SIZE,
        update_conflicts=True,
        unique_fields=["campaign", "annotator"],
        update_fields=["skill", "score", "answers"],
    )
    here = CampaignReliability.objects.filter(campaign=campaign)
    here.exclude(annotator__in=own.skills).delete()


def _other_campaigns(kind: str, language: str, learned: Learned) -> QuerySet[Campaign]:
    """Those of the crowd from which nothing was learned."""
    return Campaign.objects.filter(kind=kind, language=language).exclude(pk__in=learned.campaigns)


def _forget_people_who_left(kind: str, language: str) -> None:
    """Delete the figures of people who left while this refit was learning from their answers.

    None escapes. Checking the constraints now locks the rows of the people who got figures, so an erasure
    that is about to change one of them waits, and deletes what was stored here. And if the erasure came
    first, this waits, and sees here that its person left.
    """
    connection.check_constraints()
    gone = User.objects.filter(username__startswith=GONE)
    Reliability.objects.filter(crowd__kind=kind, crowd__language=language, annotator__in=gone).delete()
    CampaignReliability.objects.filter(
        campaign__kind=kind, campaign__language=language, annotator__in=gone
    ).delete()


def _mark_dirty(task_ids: list[int], now: datetime) -> None:
    for start in range(0, len(task_ids), BATCH_SIZE):
        some = Task.objects.filter(pk__in=task_ids[start : start + BATCH_SIZE])
        some.update(dirty_since=Coalesce("dirty_since", now))

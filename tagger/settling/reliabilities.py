"""How well people answer in a campaign, for pages. Without the engine, as web processes load this."""

from collections.abc import Collection
from typing import NamedTuple

from django.db.models import F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from datasets.models import Campaign
from tagger.models import CampaignReliability, Reliability


class Reliable(NamedTuple):
    """`score`: the share of right answers to expect, and of how many `answers`; `hurried`: the share given
    before the sound ended, in all campaigns of the crowd. Shares are from 0 to 1."""

    score: float
    answers: int
    hurried: float


def among(campaign: Campaign, people: Collection[int]) -> dict[int, Reliable]:
    """By the last refit, in one statement. Whoever was new in the campaign then has their score elsewhere."""
    own = CampaignReliability.objects.filter(campaign=campaign, annotator=OuterRef("annotator"))
    of_crowd: QuerySet[Reliability] = Reliability.objects.filter(
        crowd__kind=campaign.kind, crowd__language=campaign.language, annotator__in=people
    )
    columns = (Coalesce(Subquery(own.values(name)), F(name)) for name in ("score", "answers"))
    rows = of_crowd.values_list("annotator", *columns, "hurried")
    return {who: Reliable(score, answers, hurried) for who, score, answers, hurried in rows}

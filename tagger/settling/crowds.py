"""What is known of those whose votes are being weighed: from the last refit, or from when they left."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import lru_cache
from typing import Any

from datasets.models import Annotation, Campaign
from tagger.models import CampaignCrowd, CampaignReliability, Crowd, Reliability

from . import engine


def for_campaign(campaign: Campaign, given: Iterable[Annotation]) -> engine.EngineCrowd:
    """The crowd with the skills behind these answers; before the first refit all people are strangers."""
    people, kept = set[int](), dict[int, int]()
    for each in given:
        if each.kept_weight is None:
            people.add(each.voter)
        else:
            kept[each.voter] = each.kept_weight
    frozen = {voter: engine.kept_skill(campaign.kind, weight) for voter, weight in kept.items()}
    skills = {voter: skill for voter, skill in frozen.items() if skill is not None}
    newest = Crowd.objects.filter(kind=campaign.kind, language=campaign.language)
    found = newest.values_list("pk", "fitted_at").first()
    if found is None:
        return engine.with_skills(engine.strangers(campaign.kind, campaign.language), skills)
    people_skills = dict(_skills(found[0], campaign, people))
    return engine.with_skills(_in_campaign(*found, campaign.pk), people_skills | skills)


def _skills(crowd: int, campaign: Campaign, people: set[int]) -> Iterator[tuple[int, Any]]:
    """Those in the campaign come last: they are the ones that hold there."""
    for rows in (
        Reliability.objects.filter(crowd=crowd, annotator__in=people),
        CampaignReliability.objects.filter(campaign=campaign, annotator__in=people),
    ):
        yield from rows.values_list("annotator", "skill")


@lru_cache(maxsize=256)
def _in_campaign(crowd: int, fitted_at: datetime, campaign: int) -> engine.EngineCrowd:
    own = CampaignCrowd.objects.filter(campaign=campaign).values_list("shared", flat=True).first()
    whole = _shared(crowd, fitted_at)
    return whole if own is None else engine.in_campaign(whole, own)


@lru_cache(maxsize=16)
def _shared(crowd: int, fitted_at: datetime) -> engine.EngineCrowd:
    # It stays the same until the next refit. For transcripts it contains a lexicon, too large to be read for
    # each decision.
    row = Crowd.objects.get(pk=crowd)
    return engine.crowd(row.kind, row.shared | {"skills": []}, [])

"""What the last refit learned of the annotators whose votes are being weighed."""

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache

from datasets.models import Campaign
from tagger.models import Crowd, Reliability

from . import engine


def for_campaign(campaign: Campaign, annotators: Iterable[int]) -> engine.EngineCrowd:
    """The crowd with the skills of these annotators; before the first refit all are strangers."""
    newest = Crowd.objects.filter(kind=campaign.kind, language=campaign.language)
    found = newest.values_list("pk", "fitted_at").first()
    if found is None:
        return engine.strangers(campaign.kind, campaign.language)
    rows = Reliability.objects.filter(crowd=found[0], annotator__in=list(annotators))
    return engine.with_skills(_shared(*found), dict(rows.values_list("annotator", "skill")))


@lru_cache(maxsize=16)
def _shared(crowd: int, fitted_at: datetime) -> engine.EngineCrowd:
    # It stays the same until the next refit. For transcripts it contains a lexicon, too large to be read for
    # each decision.
    row = Crowd.objects.get(pk=crowd)
    return engine.crowd(row.kind, row.shared | {"skills": []}, [])

"""What is known of a crowd at this moment, as far as a decision needs it."""

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache

from datasets.models import Campaign
from tagger.models import Crowd, Reliability

from . import engine


def of(campaign: Campaign, annotators: Iterable[int]) -> engine.EngineCrowd:
    """What the last refit learned of these annotators; before the first one all are strangers."""
    newest = Crowd.objects.filter(kind=campaign.kind, language=campaign.language)
    found = newest.values_list("pk", "fitted_at").first()
    if found is None:
        return engine.strangers(campaign.kind, campaign.language)
    rows = Reliability.objects.filter(crowd=found[0], annotator__in=list(annotators))
    return engine.with_skills(_shared(*found), dict(rows.values_list("annotator", "skill")))


@lru_cache(maxsize=16)
def _shared(crowd: int, fitted_at: datetime) -> engine.EngineCrowd:
    # The same until the next refit, and for transcripts it holds a lexicon: too much for each decision.
    row = Crowd.objects.get(pk=crowd)
    return engine.crowd(row.kind, row.shared | {"skills": []}, [])

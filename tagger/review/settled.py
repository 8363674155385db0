"""The form in which a reviewer's answer settles a task."""

from datasets import normalise
from datasets.models import Campaign


def as_settled(answer: str, campaign: Campaign) -> str:
    """A label as it is; a transcript in the normalised form that votes are counted on."""
    return normalise.text(answer, campaign.language) if campaign.asks_for_words else answer

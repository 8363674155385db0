"""Filters that an owner keeps under a name: their own, for one campaign."""

from accounts.models import User
from datasets.models import Campaign
from tagger.models import SavedView

MOST = 30


def of(campaign: Campaign, person: User) -> list[SavedView]:
    return list(SavedView.objects.filter(campaign=campaign, person=person).order_by("name")[:MOST])


def save(campaign: Campaign, person: User, name: str, query: str) -> bool:
    """Keep the filter; one of the same name is replaced. False if there are MOST already."""
    own = SavedView.objects.filter(campaign=campaign, person=person)
    if own.exclude(name=name).count() >= MOST:
        return False
    own.update_or_create(campaign=campaign, person=person, name=name, defaults={"query": query})
    return True


def forget(campaign: Campaign, person: User, pk: int) -> None:
    SavedView.objects.filter(campaign=campaign, person=person, pk=pk).delete()

"""A campaign's own reviewers as its owner sees them: by the pseudonym, which each of them agreed to show."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db.models import Count

from accounts.factors import authenticators
from datasets.models import Campaign
from tagger.models import Decision
from tagger.progress.leaderboard import name_of


@dataclass(frozen=True)
class OwnReviewer:
    """`decisions` are those in this campaign that were not undone."""

    id: UUID
    name: str
    since: date
    decisions: int
    needs_factor: bool  # they review nothing before they set one up


def of(campaign: Campaign) -> list[OwnReviewer]:
    """Whoever reviews it for the longest time comes first. In three statements, however many they are."""
    rows = list(campaign.own_reviewers.select_related("person__data_key").order_by("since", "pk"))
    people = [row.person_id for row in rows]
    done = Decision.objects.filter(campaign=campaign, undone_at=None, reviewer__in=people)
    counts = dict(done.order_by().values_list("reviewer").annotate(Count("pk")))
    ready = authenticators.who_has_one(people)
    return [
        OwnReviewer(
            row.pk,
            name_of(row.person),
            row.since,
            counts.get(row.person_id, 0),
            needs_factor=row.person_id not in ready and not row.person.needs_no_factor,
        )
        for row in rows
    ]

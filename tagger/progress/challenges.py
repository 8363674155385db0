"""A challenge a month, by a campaign's owner: days on which someone answered there, not answers.

Taking part is a choice. The only writer of Challenge and ChallengeEntry.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from accounts.models import User
from accounts.refusals import Refusal
from datasets.models import Annotation, Campaign, Task
from tagger.models import Challenge, ChallengeEntry

from . import days, goals, queries

MOST_SHOWN = 12


class ChallengeRefusal(StrEnum):
    TAKEN_UP = "challenge-taken-up"


class ChallengeRefused(Refusal):
    """The challenge stays as it is."""


@dataclass(frozen=True)
class Shown:
    """A challenge of this month, as one person sees it."""

    challenge: Challenge
    takes_part: bool
    days: int  # on which they answered there; 0 unless they take part

    @property
    def is_done(self) -> bool:
        return self.takes_part and self.days >= self.challenge.days

    @property
    def share(self) -> float:
        return min(1.0, self.days / self.challenge.days)

    @property
    def heights(self) -> tuple[int, ...]:
        """The bars of a wave that fills with the days."""
        return goals.shape()


def of(person: User, now: datetime) -> list[Shown]:
    """The challenges of this month. One query, and one more for someone who takes part."""
    own = ChallengeEntry.objects.filter(challenge=OuterRef("pk"), person=person)
    found = Challenge.objects.filter(month=month_of(now), campaign__stage=Campaign.Stage.OPEN)
    challenges = list(
        found.annotate(takes_part=Exists(own)).select_related("campaign").order_by("campaign")[:MOST_SHOWN]
    )
    joined = [each.campaign_id for each in challenges if each.takes_part]
    counted = _days(person, joined, now) if joined else {}
    return [Shown(each, each.takes_part, counted.get(each.campaign_id, 0)) for each in challenges]


def may_set(person: User, campaign: Campaign) -> bool:
    return person.is_superuser or campaign.owner_id == person.pk


def may_be_set_by(person: User, now: datetime) -> QuerySet[Campaign]:
    """The open campaigns without a challenge this month for which this person may set one."""
    some = Campaign.objects.open().exclude(challenges__month=month_of(now))
    return (some if person.is_superuser else some.filter(owner=person))[:MOST_SHOWN]


@transaction.atomic
def set_for(campaign: Campaign, number: int, now: datetime) -> Challenge:
    """This month's challenge. It can be changed until someone takes part."""
    Campaign.objects.select_for_update(no_key=True).get(pk=campaign.pk)
    challenge, is_new = Challenge.objects.get_or_create(
        campaign=campaign, month=month_of(now), defaults={"days": number}
    )
    if not is_new and challenge.entries.exists():
        raise ChallengeRefused(ChallengeRefusal.TAKEN_UP)
    challenge.days = number
    challenge.save(update_fields=["days"])
    return challenge


@transaction.atomic
def take_part(person: User, challenge: Challenge, takes_part: bool) -> None:
    if not takes_part:
        person.challenge_entries.filter(challenge=challenge).delete()
    elif User.objects.select_for_update(no_key=True).filter(pk=person.pk, is_active=True).exists():
        ChallengeEntry.objects.get_or_create(challenge=challenge, person=person)


def month_of(now: datetime) -> date:
    return days.start_of_month(now).date()


def _days(person: User, campaigns: list[int], now: datetime) -> dict[int, int]:
    """{campaign: on how many days of this month the person answered something there}"""
    return dict(queries.rows(DAYS, [settings.TIME_ZONE, person.pk, days.start_of_month(now), campaigns]))


DAYS = f"""
    SELECT task.campaign_id, count(DISTINCT date_trunc('day', given.created_at, %s))
    FROM {Annotation._meta.db_table} given JOIN {Task._meta.db_table} task ON task.id = given.task_id
    WHERE given.annotator_id = %s AND given.created_at >= %s AND task.campaign_id = ANY(%s::bigint[])
    GROUP BY task.campaign_id
"""

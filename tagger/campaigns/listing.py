"""The campaigns as one volunteer sees them: own languages first, then what waits, and what is finished."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from accounts.models import User
from datasets import language_names, languages, taking_part
from datasets.models import Campaign
from tagger.desk import mixed
from tagger.lending import waiting
from tagger.models import Counted

CURRENT = (Campaign.Stage.OPEN, Campaign.Stage.PAUSED)
MOST_CLOSED = 10  # of those that this person answered, the newest


@dataclass(frozen=True)
class Listed:
    """One campaign. `answers` are this person's; `is_waiting` says whether it has a clip for them now."""

    campaign: Campaign
    answers: int
    is_waiting: bool

    @property
    def counted(self) -> Counted | None:
        return getattr(self.campaign, "counted", None)

    @property
    def is_finished(self) -> bool:
        if self.campaign.stage not in CURRENT:
            return True
        counted = self.counted
        return bool(counted and counted.clips and counted.settled + counted.disputed >= counted.clips)


@dataclass(frozen=True)
class Language:
    code: str
    name: str
    is_chosen: bool
    is_suggested: bool  # the page is in it; never ticked for that


@dataclass(frozen=True)
class Listing:
    own: list[Listed]  # in the person's languages; all, if they chose none
    others: list[Listed]
    finished: list[Listed]

    @property
    def can_be_mixed(self) -> bool:
        """Whether there are clips of several campaigns to mix."""
        return sum(each.is_waiting for each in self.own) > 1


def of(person: User, answers: Mapping[int, int], now: datetime) -> Listing:
    """`answers`: how many this person gave to which campaign."""
    waits = waiting.campaigns(person, now)
    shown = (
        taking_part.shown_to(person, Campaign.objects.public())
        .filter(Q(stage__in=CURRENT) | Q(pk__in=answers))
        .select_related("counted")
        .order_by("pk")
    )
    listed = [Listed(each, answers.get(each.pk, 0), each.pk in waits) for each in shown]
    closed = [each.campaign.pk for each in listed if each.campaign.stage not in CURRENT]
    left_out = set(closed[:-MOST_CLOSED])
    finished = [each for each in listed if each.is_finished and not each.is_waiting]
    current = [each for each in listed if each not in finished]
    current.sort(key=lambda each: not each.is_waiting)
    return Listing(
        own=[each for each in current if mixed.knows(person, each.campaign)],
        others=[each for each in current if not mixed.knows(person, each.campaign)],
        finished=[each for each in finished if each.campaign.pk not in left_out],
    )


def offered_languages(person: User, listing: Listing, suggested: str) -> list[Language]:
    """Those of the open campaigns, by their own names; the suggested one, which the page is in, comes first.

    A language that the person chose stays on the list while no campaign is open in it.
    """
    chosen, suggested = set(person.languages or ()), languages.primary(suggested)
    shown = [each.campaign for each in (*listing.own, *listing.others, *listing.finished)]
    codes = {languages.primary(each.language) for each in shown if each.is_open} | chosen
    found = [
        Language(code, language_names.own_name(code), code in chosen, code == suggested) for code in codes
    ]
    return sorted(found, key=lambda each: (not each.is_suggested, each.name))


def choose_languages(person: User, codes: list[str]) -> None:
    """Only codes of languages that are offered, or were chosen earlier, are stored."""
    known = mixed.open_languages() | set(person.languages or ())
    # Not save(): a person whose account is erased in the meantime must stay erased.
    User.objects.filter(pk=person.pk, is_active=True).update(languages=sorted(known & set(codes)))

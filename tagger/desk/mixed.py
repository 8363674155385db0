"""The mixed queue: ten clips of one campaign, then ten of the next. And which comes after an empty one.

Nothing about it is stored: whose turn it is follows from a person's last answers.
"""

from datetime import datetime

from accounts.models import User
from datasets import languages
from datasets.models import Campaign
from tagger.lending import waiting

SET_SIZE = 10  # the same as in set-of-ten.js


def in_turn(person: User, now: datetime, after: str = "") -> list[Campaign]:
    """The campaigns that have clips for this person in their languages; the one whose turn it is comes first.

    `after`: the slug of the campaign whose set is over. Without it, a set is over after ten answers.
    """
    found = [each for each in _waiting(person, now) if knows(person, each)]
    newest = person.annotations.order_by("-created_at", "-id").values_list("task__campaign", flat=True)
    last = list(newest[:SET_SIZE])
    if ended := next((each.pk for each in found if each.slug == after), None):
        return _turned(found, ended)
    if not last:
        return found
    is_over = len(last) == SET_SIZE and len(set(last)) == 1
    return _turned(found, last[0] if is_over else last[0] - 1)


def next_after(person: User, campaign: Campaign, now: datetime) -> Campaign | None:
    """A campaign that has clips for this person, when this one has none: in the same language if possible."""

    def is_other(each: Campaign) -> bool:
        return languages.primary(each.language) != languages.primary(campaign.language)

    found = [each for each in _waiting(person, now) if each != campaign]
    if person.languages is None:  # they were not asked what else they understand
        found = [each for each in found if not is_other(each)]
    suitable = [each for each in found if knows(person, each)]
    return next(iter(sorted(_turned(suitable, campaign.pk), key=is_other)), None)


def first_desk(person: User, reads: str, now: datetime) -> Campaign | None:
    """The campaign whose turn it is. Until they were asked, someone knows the language that they read."""
    found = in_turn(person, now)
    if must_choose_languages(person):
        found = [each for each in found if languages.primary(each.language) == languages.primary(reads)]
    return next(iter(found), None)


def must_choose_languages(person: User) -> bool:
    """Whether the queue cannot know what they understand: they were not asked, and there are several."""
    return person.languages is None and len(open_languages()) > 1


def open_languages() -> set[str]:
    """The languages of the open campaigns, without their countries."""
    codes = Campaign.objects.open().values_list("language", flat=True)
    return {languages.primary(code) for code in codes}


def knows(person: User, campaign: Campaign) -> bool:
    """Whether it is in one of their languages. Someone who chose none is offered all."""
    return not person.languages or languages.primary(campaign.language) in person.languages


def _waiting(person: User, now: datetime) -> list[Campaign]:
    return list(Campaign.objects.filter(pk__in=waiting.campaigns(person, now)).order_by("pk"))


def _turned(found: list[Campaign], after: int) -> list[Campaign]:
    """Beginning with the first whose number is larger than `after`."""
    return sorted(found, key=lambda each: each.pk <= after)

"""Many disputes at once: a reviewer hears one after the other, and accepts the leading answers of most."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from accounts.ciphers import KeyLost
from accounts.models import User
from accounts.refusals import Refusal
from datasets.models import Label
from tagger.models import ReviewItem

from . import acts, queue

MOST = 20  # items that are lent to one reviewer for this


@dataclass(frozen=True)
class Proposed:
    """A dispute, with the answer that leads in it."""

    item: ReviewItem
    answer: str
    confidence: float | None

    @property
    def label(self) -> str:
        """The answer as a page writes it."""
        return self.answer if self.item.campaign.asks_for_words else str(Label(self.answer).label)


def take(reviewer: User, part: queue.Filter, now: datetime) -> list[Proposed]:
    """Lend the first MOST disputes of this part that no one else has, those that have a leading answer."""
    with transaction.atomic():
        free = part.of(queue.open_to(reviewer), now).free_for(reviewer, now)
        free = free.filter(kind=ReviewItem.Kind.DISPUTE).with_keys()
        # What a volunteer still thinks has to be read.
        free = free.exclude(reason=ReviewItem.Reason.OBJECTION)
        items = list(free.select_for_update(skip_locked=True, no_key=True, of=("self",))[:MOST])
        proposed = [found for item in items if (found := _proposed(item))]
        lent = ReviewItem.objects.filter(pk__in=[each.item.pk for each in proposed])
        lent.update(reviewer=reviewer, lent_until=now + queue.LEASE)
    return proposed


def _proposed(item: ReviewItem) -> Proposed | None:
    task = item.task
    if task is None:
        return None
    task.clip = item.clip  # whose key opens its words
    try:
        answer = (task.certificate or {}).get("verdict", {}).get("answer")
    except KeyLost:  # the speaker left at this moment
        return None
    return None if answer is None else Proposed(item, answer, task.confidence)


def accept(
    answers: Mapping[int, str], reviewer: User, now: datetime
) -> tuple[int, list[tuple[ReviewItem, Refusal]]]:
    """Accept these answers, by item, each as an act of its own. Returns how many, and what was refused."""
    accepted, refused = 0, []
    for item in queue.allowed_to(reviewer).filter(pk__in=answers).select_related("campaign"):
        try:
            acts.accept(item, reviewer, answers[item.pk], now)
            accepted += 1
        except Refusal as why:
            refused.append((item, why))
    return accepted, refused

"""Which labels settled because of one person's votes, among their newest. No one else sees it.

A vote stands behind a label if it was in when the clip settled and says the same as the label. It settled
the clip if, of those votes, it came last: until then, agreement was below the campaign's confidence. Clips
that a reviewer decided do not count. Nor do votes for clips that were settled before: so the figure tells no
one which of their clips were controls.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, F, OuterRef, QuerySet
from django.db.models.functions import Coalesce

from accounts.ciphers import KeyLost
from accounts.models import Purpose, User
from datasets import normalise
from datasets.models import Annotation, Task
from tagger import durations

from . import days

# How many of a person's newest votes are looked at: of today's, and of all.
MOST_TODAY, MOST = 200, 500

GIVEN_AT = Coalesce("changed_at", "created_at")


@dataclass(frozen=True)
class Settled:
    """`labels` is how many labels their votes stand behind, of which the last vote was theirs for `last`.

    `newest`: how many of their votes these figures cover, if they gave more; else 0.
    """

    newest: int
    labels: int
    last: int
    seconds: float  # of clips

    @property
    def minutes(self) -> int:
        return durations.whole_minutes(self.seconds)

    @property
    def hours(self) -> float:
        return durations.hours(self.seconds)


def of_today(person: User, now: datetime, votes: int) -> Settled:
    """What settled because of the `votes` that this person gave since midnight."""
    return _settled(person.annotations.filter(created_at__gte=days.start_of_day(now)), MOST_TODAY, votes)


def of_person(person: User, votes: int) -> Settled:
    """`votes`: how many they gave; a caller may have stopped counting above `MOST`."""
    return _settled(person.annotations.all(), MOST, votes)


def _settled(given: QuerySet[Annotation], most: int, votes: int) -> Settled:
    """One query, however many answers there are."""
    standing = [vote for vote in _counted(given, most) if _says_the_same(vote)]
    return Settled(
        newest=most if votes > most else 0,
        labels=len(standing),
        last=sum(vote.came_last for vote in standing),  # type: ignore[attr-defined]
        seconds=sum(vote.task.clip.seconds for vote in standing),
    )


def _counted(given: QuerySet[Annotation], most: int) -> Iterable[Annotation]:
    """Of the newest answers those that were in when votes settled their clip, which may still be heard."""
    newest = given.order_by("-created_at").values("pk")[:most]
    settled = Task.objects.live_for(Purpose.VOLUNTEERS, per_row=True).filter(
        status=Task.Status.SETTLED, adjudicated=False
    )
    later = Annotation.objects.filter(task=OuterRef("task")).exclude(pk=OuterRef("pk"))
    between = later.annotate(at=GIVEN_AT).filter(
        at__gt=OuterRef("given_at"), at__lte=OuterRef("task__settled_at")
    )
    votes = Annotation.objects.filter(pk__in=newest, task__in=settled).annotate(given_at=GIVEN_AT)
    return (
        votes.filter(given_at__lte=F("task__settled_at"))
        .annotate(came_last=~Exists(between))
        .select_related("task__campaign", "task__clip__contributor__data_key")
    )


def _says_the_same(vote: Annotation) -> bool:
    """Whether the label says what the vote said. Transcripts are compared as votes are, in normal form."""
    task = vote.task
    try:
        own, settled = vote.answer, task.answer or ""
    except KeyLost:  # its speaker left while this ran
        return False
    if not task.campaign.asks_for_words:
        return bool(own == settled)
    language = task.campaign.language
    return normalise.text(own, language) == normalise.text(settled, language)

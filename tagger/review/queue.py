"""The review queue: which items are open to a reviewer, and which one they get next.

An item is lent to one reviewer at a time. Whoever gave the clip, answered it, or reported it is never asked.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.fields.tuple_lookups import Tuple, TupleGreaterThan

from accounts.models import Purpose, Role, User
from datasets import reviewing
from datasets.models import Annotation, in_use_for
from tagger.models import Decision, PrivacyCheck, Report, ReviewItem, ReviewItemQuerySet

from . import blocking
from .refusals import ReviewRefusal, ReviewRefused

LEASE = timedelta(minutes=15)
MOST_HELD = 5  # items lent to one reviewer at a time
PAGE = 50
MOST_COUNTED = 1_000  # pages say how many wait without a look at each of 100,000

Kind = ReviewItem.Kind


@dataclass(frozen=True)
class Filter:
    """Which part of the queue. Empty values leave nothing out."""

    kind: str = ""
    campaign: str = ""  # its slug
    language: str = ""
    reason: str = ""
    older_than: timedelta | None = None
    blocks: str = ""  # the purpose of the releases, see tagger.review.blocking

    def of(self, items: ReviewItemQuerySet, now: datetime) -> ReviewItemQuerySet:
        wanted: dict[str, Any] = {
            "kind": self.kind,
            "campaign__slug": self.campaign,
            "language": self.language,
            "reason": self.reason,
            "opened_at__lte": self.older_than and now - self.older_than,
        }
        if self.blocks:
            wanted[blocking.COLUMNS[Purpose(self.blocks)]] = True
        return items.filter(**{name: value for name, value in wanted.items() if value})


EVERYTHING = Filter()


def open_to(reviewer: User) -> ReviewItemQuerySet:
    """The open items on which this person may decide, in the order of the queue."""
    return allowed_to(reviewer).filter(closed_at=None)


def allowed_to(reviewer: User) -> ReviewItemQuerySet:
    """The items, open or closed, that this person may see."""
    own_answer = Annotation.objects.filter(annotator=reviewer, task__clip=OuterRef("clip"))
    own_report = Report.objects.filter(reporter=reviewer, clip=OuterRef("clip"))
    own_check = PrivacyCheck.objects.filter(checker=reviewer, clip=OuterRef("clip"))
    allowed = ReviewItem.objects.filter(_is_audible(), ~Exists(own_answer), ~Exists(own_report))
    if not reviewer.has_role(Role.REVIEWER):
        allowed = allowed.filter(campaign__in=reviewing.reviewed_by(reviewer))
    # A second look is another reviewer's.
    first = Decision.objects.filter(reviewer=reviewer, item__task=OuterRef("task")).exclude(
        item=OuterRef("pk")
    )
    allowed = allowed.filter(~Q(reason=ReviewItem.Reason.SECOND_LOOK) | ~Exists(first))
    # Whoever checked the clip before publication does not decide what came of it.
    allowed = allowed.filter(Q(kind=Kind.DISPUTE) | ~Exists(own_check))
    return allowed.exclude(clip__contributor=reviewer).order_by("rank", "opened_at", "pk")


def _is_audible() -> Q:
    """A condition: reviewers may hear the clip. One that a report hid comes up as a report, and only so."""
    is_in_use = in_use_for(Purpose.VOLUNTEERS, "clip__", per_row=True)
    return is_in_use & (Q(clip__hidden_at=None) | Q(kind=Kind.REPORT))


def page(reviewer: User, part: Filter, now: datetime, after: ReviewItem | None = None) -> list[ReviewItem]:
    """Up to PAGE items, the first ones or those after this one."""
    items = part.of(open_to(reviewer), now)
    # In statements of their own: joined, they take the planner from the queue's index.
    return list(_after(after, items).prefetch_related("campaign", "clip")[:PAGE])


def _after(item: ReviewItem | None, items: ReviewItemQuerySet) -> ReviewItemQuerySet:
    """Those that come later in the queue; all of them without an item."""
    if item is None:
        return items
    # As one comparison of rows, which is a place in the index.
    place = Tuple(F("rank"), F("opened_at"), F("pk"))
    return items.filter(TupleGreaterThan(place, (item.rank, item.opened_at, item.pk)))


def counts(reviewer: User, part: Filter, now: datetime) -> dict[str, int]:
    """How many items of each kind are open to this person, up to MOST_COUNTED of each."""
    items = part.of(open_to(reviewer), now)
    return {kind: items.filter(kind=kind)[:MOST_COUNTED].count() for kind in Kind.values}


def waiting(reviewer: User, part: Filter, now: datetime) -> int:
    """How many items are open to this person, up to MOST_COUNTED."""
    return part.of(open_to(reviewer), now)[:MOST_COUNTED].count()


@transaction.atomic
def take(reviewer: User, part: Filter, now: datetime, after: ReviewItem | None = None) -> ReviewItem | None:
    """Lend the first item that no one else has, if possible after this one, which they put back.

    None if none is left, or if this person has MOST_HELD.
    """
    if not User.objects.select_for_update(no_key=True).filter(pk=reviewer.pk, is_active=True).exists():
        return None
    if held(reviewer, now).count() >= MOST_HELD:
        return None
    free = part.of(open_to(reviewer), now).filter(Q(reviewer=None) | Q(lent_until__lte=now))
    free = free.select_for_update(skip_locked=True, no_key=True, of=("self",))
    item = (_after(after, free).first() if after else None) or free.first()
    if item:
        item.reviewer, item.lent_until = reviewer, now + LEASE
        item.save(update_fields=["reviewer", "lent_until"])
    return item


def held(reviewer: User, now: datetime) -> ReviewItemQuerySet:
    """What is lent to this person, in the order of the queue."""
    return open_to(reviewer).filter(reviewer=reviewer, lent_until__gt=now)


def hold(item: ReviewItem, reviewer: User, now: datetime) -> None:
    """Lend this very item, or lend it anew, unless it is decided or another reviewer has it.

    Nobody gets more than MOST_HELD, except anew what they have.
    """
    own = held(reviewer, now)
    if own.count() >= MOST_HELD and not own.filter(pk=item.pk).exists():
        return
    free = ReviewItem.objects.open().free_for(reviewer, now).filter(pk=item.pk)
    if free.update(reviewer=reviewer, lent_until=now + LEASE):
        item.reviewer, item.lent_until = reviewer, now + LEASE


def renew(item: ReviewItem, reviewer: User, now: datetime) -> None:
    """Lend the item anew to whoever works on it. Raises ReviewRefused: decided, or lent to another one."""
    hold(item, reviewer, now)
    current = ReviewItem.objects.get(pk=item.pk)
    if current.closed_at is not None:
        raise ReviewRefused(ReviewRefusal.ALREADY_DECIDED)
    if current.reviewer_id != reviewer.pk:
        raise ReviewRefused(ReviewRefusal.TAKEN_BY_ANOTHER)


def put_back(items: Collection[int], reviewer: User) -> None:
    """Another reviewer may have them. No error if they are not theirs any more."""
    ReviewItem.objects.open().filter(pk__in=items, reviewer=reviewer).update(reviewer=None, lent_until=None)

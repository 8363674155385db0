"""What people miss when they check clips before publication, measured by made sounds with a known answer."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q
from django.utils import timezone

from tagger.consensus.intervals import wilson
from tagger.models import PrivacyCheck

_MISSED = Count("pk", filter=Q(answer=PrivacyCheck.Answer.NO))


@dataclass(frozen=True)
class Missed:
    """How many known positives were checked, and of how many it was said that nothing in them is private."""

    number: int
    missed: int

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the share that is missed."""
        return wilson(self.missed, self.number)

    @property
    def found_percent(self) -> int:
        return round(100 * (self.number - self.missed) / self.number)

    @property
    def found_interval(self) -> tuple[int, int]:
        low, high = wilson(self.number - self.missed, self.number)
        return round(100 * low), round(100 * high)


def by_person(now: datetime) -> list[tuple[int, Missed]]:
    """Of each person who checks, by number. Until midnight: who looks after each answer learns nothing."""
    known = PrivacyCheck.objects.done().filter(known__isnull=False, checker__is_active=True)
    known = known.filter(done_at__date__lt=timezone.localtime(now).date())
    rows = known.order_by().values_list("checker").annotate(number=Count("pk"), missed=_MISSED)
    return [(pk, Missed(number, missed)) for pk, number, missed in sorted(rows, key=lambda row: -row[1])]


def of_all() -> Missed:
    """Of all who checked together, those who left among them."""
    known = PrivacyCheck.objects.done().filter(known__isnull=False)
    return Missed(**known.aggregate(number=Count("pk"), missed=_MISSED))

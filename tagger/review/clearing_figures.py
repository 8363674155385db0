"""What a release's card says of the look before publication: counts, and nothing of one clip or person."""

from collections.abc import Collection
from typing import Any

from django.db.models import Exists, OuterRef

from datasets.models import Campaign, Clip
from tagger.models import PrivacyCheck
from tagger.progress import missed

from . import clearing


def of(campaigns: Collection[Campaign]) -> dict[str, Any]:
    """Of these campaigns' clips, as they are now. A destroyed one counts once for each campaign it was in."""
    clips = Clip.objects.filter(tasks__campaign__in=campaigns, withdrawal=None).distinct()
    checks = PrivacyCheck.objects.done().filter(clip=OuterRef("pk"))
    measured = missed.of_all()
    low, high = measured.interval
    return {
        "checkers": clearing.CHECKERS,
        "checked": clips.filter(Exists(checks)).count(),
        "found": clips.filter(Exists(checks.filter(answer=PrivacyCheck.Answer.YES))).count(),
        "silenced": clips.exclude(silenced=[]).count(),
        "destroyed": sum(
            each.destroyed for each in Campaign.objects.filter(pk__in=[each.pk for each in campaigns])
        ),
        "known": measured.number,
        "missed": measured.missed,
        "missed_low": round(low, 3),
        "missed_high": round(high, 3),
    }

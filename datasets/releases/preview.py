"""What a release would hold if it were made now, for whoever chooses its bounds."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Avg, Count, F, Sum

from accounts.models import Purpose
from datasets.models import Campaign, Label

from . import freezing


@dataclass(frozen=True)
class Preview:
    """`doubt`: the mean of 1 - confidence, the share expected to be wrong (of transcripts: of words), None
    without clips. `balance`: (answer, clips), the most frequent first; empty for transcripts."""

    clips: int
    seconds: float
    speakers: int
    doubt: float | None
    balance: list[tuple[str, int]]
    selection: freezing.Selection


def of(campaigns: Sequence[Campaign], min_confidence: float, audience: Purpose) -> Preview:
    found = freezing.select(campaigns, min_confidence, audience)
    taken = found.taken.order_by()
    whole = taken.aggregate(
        clips=Count("pk"),
        seconds=Sum("clip__seconds"),
        speakers=Count("clip__contributor", distinct=True),
        confidence=Avg("confidence"),
    )
    labels = taken.filter(campaign__kind=Campaign.Kind.WAKE_WORD)
    counted = labels.values_list("plain_answer").annotate(clips=Count("pk")).order_by(F("clips").desc())
    return Preview(
        clips=whole["clips"],
        seconds=whole["seconds"] or 0.0,
        speakers=whole["speakers"],
        doubt=None if whole["confidence"] is None else 1 - whole["confidence"],
        balance=[(str(Label(answer).label), number) for answer, number in counted],
        selection=found,
    )

"""What a reviewer does about something private in a clip: silence the seconds, or destroy the clip.

Neither can be undone. Neither takes a note, which would be likely to say what must not be said.
"""

import re
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from accounts.models import User
from datasets.models import Clip
from tagger.models import Decision, PrivacyCheck, Report, ReviewItem
from tagger.privacy import silencing
from tagger.privacy.silencing import Part

from . import acts
from .refusals import ReviewRefusal, ReviewRefused

PART = re.compile(r"\s*(\d+(?:\.\d+)?)\s*[-–]\s*(\d+(?:\.\d+)?)\s*", re.ASCII)


@transaction.atomic
def silence(item: ReviewItem, reviewer: User, parts: Sequence[Part], now: datetime) -> Decision:
    """Silence these seconds of the item's clip, as `tagger.privacy.silencing` does.

    Its reports were right, and it may be heard again. A dispute over it stays open, because what is left
    still has no answer. Raises ReviewRefused and SilencingRefused.
    """
    silencing.lock(item.clip)
    current, clip, _tasks = acts.lock(item, reviewer, now)
    decision = acts.begin(Decision.Act.SILENCE, current, clip, reviewer, now, note="", before=[])
    if current.kind == ReviewItem.Kind.DISPUTE:
        decision.save()
    else:
        acts.uphold_reports(clip, now)
        Clip.objects.filter(pk=clip.pk).update(hidden_at=None)
        acts.finish(decision, current, [])
    silencing.silence(clip, parts, reviewer, now)
    return decision


@transaction.atomic
def destroy(item: ReviewItem, reviewer: User, now: datetime) -> Decision:
    """Erase the item's clip. The decision goes with it. Raises ReviewRefused and SilencingRefused."""
    silencing.lock(item.clip)
    current, clip, _tasks = acts.lock(item, reviewer, now)
    decision = acts.begin(Decision.Act.DESTROY, current, clip, reviewer, now, note="", before=[])
    acts.uphold_reports(clip, now)
    acts.finish(decision, current, [])
    silencing.destroy(clip, reviewer, now)
    return decision


def typed(reports: Sequence[Report], checks: Sequence[PrivacyCheck] = ()) -> str:
    """The parts that these reports and checks marked, as a person would type them."""
    marked = [(each.part_from or 0.0, each.part_to) for each in reports if each.part_to is not None]
    marked += [(start, end) for each in checks for start, end in each.parts]
    return ", ".join(f"{start:.2f}-{end:.2f}" for start, end in silencing.merged(marked))


def parts_of(text: str) -> list[Part]:
    """Parts as a person types them. Raises ReviewRefused.

    >>> parts_of("0.5-1, 2 - 2.25"), parts_of("1-2، 3-4")  # the comma of Arabic, too
    ([(0.5, 1.0), (2.0, 2.25)], [(1.0, 2.0), (3.0, 4.0)])
    >>> parts_of("")
    []
    """
    found = []
    for each in re.split("[,،]", text) if text.strip() else []:
        matched = PART.fullmatch(each)
        if matched is None:
            raise ReviewRefused(ReviewRefusal.NOT_PARTS)
        found.append((float(matched[1]), float(matched[2])))
    return found

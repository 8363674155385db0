"""Other clips of the speaker of an item, near in time, with what they are settled as: is it the same voice?

Only what volunteers may hear now, in the same campaign. Left out are controls that are in use: a reviewer may
be lent these as a volunteer.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Exists, OuterRef

from accounts.ciphers import KeyLost
from accounts.models import Purpose
from datasets.models import Clip, Label, Task
from tagger.models import Control, ReviewItem

NEAREST = 3


@dataclass(frozen=True)
class NearClip:
    """`label` is the answer as a page writes it; empty for a transcript."""

    clip: int
    seconds: float
    answer: str
    label: str


def of(item: ReviewItem) -> list[NearClip]:
    return list(_described(_tasks(item)))


def find(item: ReviewItem, clip: int) -> Clip:
    """The clip of this number, if it is one of these. Raises Clip.DoesNotExist."""
    found = next((task.clip for task in _tasks(item) if task.clip_id == clip), None)
    if found is None:
        raise Clip.DoesNotExist
    return found


def _tasks(item: ReviewItem) -> list[Task]:
    """Numbers of clips follow the time."""
    in_use = Control.objects.filter(task=OuterRef("pk"), retired_at=None)
    others = (
        Task.objects.live_for(Purpose.VOLUNTEERS, per_row=True)
        .filter(~Exists(in_use), campaign=item.campaign_id, status=Task.Status.SETTLED)
        .filter(clip__contributor=item.clip.contributor_id)
        .select_related("campaign", "clip__contributor__data_key")
    )
    before = others.filter(clip__lt=item.clip_id).order_by("-clip")[:NEAREST]
    after = others.filter(clip__gt=item.clip_id).order_by("clip")[:NEAREST]
    at = item.clip.created_at
    return sorted([*before, *after], key=lambda task: abs(task.clip.created_at - at))[:NEAREST]


def _described(tasks: list[Task]) -> Iterator[NearClip]:
    for task in tasks:
        try:
            answer = task.answer or ""
        except KeyLost:  # the speaker left while this ran
            continue
        label = "" if task.campaign.asks_for_words else str(Label(answer).label)
        yield NearClip(task.clip_id, task.clip.seconds, answer, label)

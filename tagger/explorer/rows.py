"""What an owner sees of clips: for pages, programs and CSV. No name, and no time finer than a quarter.

Of a clip that volunteers may not hear now, nothing is heard, and none of its words are shown.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from accounts import quarters
from accounts.keys import KeyLost
from accounts.models import Purpose
from datasets.models import Campaign, Label, Task, not_held
from tagger.models import Report
from tagger.review import evidence

from . import selection
from .selection import Selection


@dataclass(frozen=True)
class Row:
    """`is_live`: volunteers may hear it now. `answer` is empty unless it is settled and may be shown."""

    task: Task
    is_live: bool
    is_reported: bool
    answer: str
    label: str  # the answer as a page writes it; empty for a transcript
    votes: list[evidence.VoteGiven]

    @property
    def number(self) -> int:
        return self.task.clip_id

    @property
    def is_hidden(self) -> bool:
        return self.task.clip.hidden_at is not None

    @property
    def is_settled(self) -> bool:
        return self.task.status == Task.Status.SETTLED

    @property
    def quarter(self) -> str:
        return quarters.name(self.task.clip.created_at)

    @property
    def speech_percent(self) -> int:
        return round(100 * self.task.clip.speech_share)

    @property
    def confidence_percent(self) -> int | None:
        return None if self.task.confidence is None else round(100 * self.task.confidence)


def of(campaign: Campaign, ids: Sequence[int], now: datetime) -> list[Row]:
    """These tasks of the campaign, newest first, in a number of statements that does not grow."""
    read = Task.objects.filter(pk__in=ids, campaign=campaign, clip__withdrawal=None)
    tasks = list(
        read.filter(not_held("clip__held_until"))
        .select_related("campaign", "clip__contributor__data_key")
        .order_by("-pk")
    )
    live = live_among(ids)
    clips = [task.clip_id for task in tasks]
    reported = set(Report.objects.filter(clip__in=clips, campaign=campaign).values_list("clip", flat=True))
    shown = [task for task in tasks if task.pk in live]
    votes = _votes(shown, now)
    return [_row(task, task.pk in votes, task.clip_id in reported, votes.get(task.pk, [])) for task in tasks]


def live_among(ids: Sequence[int]) -> set[int]:
    """Those of these tasks whose clips volunteers may hear now."""
    live = Task.objects.filter(pk__in=ids).live_for(Purpose.VOLUNTEERS, per_row=True)
    return set(live.values_list("pk", flat=True))


def _votes(tasks: list[Task], now: datetime) -> dict[int, list[evidence.VoteGiven]]:
    """Without the tasks whose speaker left while this request ran."""
    try:
        return evidence.votes_of(tasks, now)
    except KeyLost:
        return {task.pk: votes for task in tasks for votes in _votes_of_one(task, now)}


def _votes_of_one(task: Task, now: datetime) -> Iterator[list[evidence.VoteGiven]]:
    try:
        yield evidence.votes_of([task], now)[task.pk]
    except KeyLost:
        return


def _row(task: Task, is_live: bool, is_reported: bool, votes: list[evidence.VoteGiven]) -> Row:
    answer = ""
    if task.status == Task.Status.SETTLED and (is_live or not task.campaign.asks_for_words):
        try:
            answer = task.answer or ""
        except KeyLost:
            is_live, votes = False, []
    label = "" if task.campaign.asks_for_words or not answer else str(Label(answer).label)
    return Row(task, is_live, is_reported, answer, label, votes)


COLUMNS = (
    *("clip", "status", "hidden", "reported", "answer", "confidence", "answers", "wanted"),
    *("seconds", "speech_share", "source", "contributor", "quarter"),
)
BATCH_SIZE = 500


def table(chosen: Selection) -> Iterator[list[Any]]:
    """All rows of a selection, for CSV, read in batches: the columns first."""
    yield list(COLUMNS)
    below: int | None = None
    while True:
        found = selection.find(chosen, below, BATCH_SIZE)
        yield from _lines(chosen.campaign, found.ids)
        if found.below is None:
            return
        below = found.below


def _lines(campaign: Campaign, ids: Sequence[int]) -> Iterator[list[Any]]:
    tasks = Task.objects.filter(pk__in=ids, clip__withdrawal=None).filter(not_held("clip__held_until"))
    # Only words need a key.
    related = ["campaign", "clip__contributor__data_key"] if campaign.asks_for_words else ["campaign", "clip"]
    read = list(tasks.select_related(*related).order_by("-pk"))
    live = live_among(ids) if campaign.asks_for_words else set()
    clips = [task.clip_id for task in read]
    reported = set(Report.objects.filter(clip__in=clips, campaign=campaign).values_list("clip", flat=True))
    for task in read:
        row = _row(task, task.pk in live, task.clip_id in reported, [])
        yield [told[name] for told in [as_dict(row)] for name in COLUMNS]


def as_dict(row: Row) -> dict[str, Any]:
    """The row by the names of COLUMNS."""
    task, clip = row.task, row.task.clip
    return {
        "clip": row.number,
        "status": task.status,
        "hidden": row.is_hidden,
        "reported": row.is_reported,
        "answer": row.answer,
        "confidence": task.confidence,
        "answers": task.annotation_count,
        "wanted": task.wanted,
        "seconds": round(clip.seconds, 2),
        "speech_share": round(clip.speech_share, 3),
        "source": clip.source,
        "contributor": clip.contributor_id,
        "quarter": row.quarter,
    }

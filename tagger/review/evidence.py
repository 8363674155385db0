"""What a reviewer sees of an item: the votes, what is known of who gave them, what the engine makes of it.

People are numbers here: a reviewer judges the clip. An answer of someone who left has no number.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, F

from datasets.models import Annotation, Campaign, Label, Task
from tagger.learning import fast_answers
from tagger.learning.fast_answers import Batch
from tagger.models import Control, Decision, Objection, ReviewItem
from tagger.settling import person_weights, reliabilities
from tagger.settling.reliabilities import Reliable

LATELY = timedelta(days=30)


@dataclass(frozen=True)
class VoteGiven:
    """One answer. `reliability` and `too_fast`: 0 to 1; None before the first refit, or if they left."""

    volunteer: int | None
    answer: str
    label: str  # the answer as a page writes it; empty for a transcript
    several_speakers: bool
    reliability: float | None
    too_fast: float | None  # the share of their answers that came before the sound ended
    controls_missed: int  # of the known answers that they were asked for in the last 30 days
    weight: float = 1.0  # by what the campaign's owner decided
    # How long they had the clips that they were lent together with this one; None if that is not known.
    batch: Batch | None = None

    @property
    def reliable_percent(self) -> int:
        return round(100 * (self.reliability or 0))

    @property
    def too_fast_percent(self) -> int:
        return round(100 * (self.too_fast or 0))


@dataclass(frozen=True)
class ObjectionMade:
    """What a volunteer still thinks, although the task is settled otherwise."""

    volunteer: int
    answer: str
    label: str  # the answer as a page writes it; empty for a transcript
    note: str


@dataclass(frozen=True)
class Bar:
    """The probability of one answer, 0 to 1."""

    answer: str
    label: str
    probability: float


@dataclass(frozen=True)
class Word:
    """One place of the word network: what was written there, most weight first. "" is no word."""

    chosen: str
    agreement: float  # the share of people for the chosen word
    probability: float
    candidates: list[str]


@dataclass(frozen=True)
class OneMore:
    """What one more vote against the leading answer would do."""

    outcome: str
    answer: str | None
    confidence: float


@dataclass(frozen=True)
class Evidence:
    votes: list[VoteGiven]
    bars: list[Bar]  # of a wake word, likeliest first
    words: list[Word]  # of a transcript
    leading: str | None
    confidence: float | None
    goal: float  # the campaign's confidence
    one_more: OneMore | None
    machine_speech: float  # the share of the clip in which a machine heard speech
    draft: str  # a machine's transcript, if there is one
    # Of an item of the review queue.
    objections: list[ObjectionMade] = field(default_factory=list)
    settled: str | None = None  # what the task is settled as, unless a second look must not tell
    settled_label: str = ""

    @property
    def speech_percent(self) -> int:
        return round(100 * self.machine_speech)


def of(item: ReviewItem, now: datetime) -> Evidence | None:
    """None without a task. Raises accounts.keys.KeyLost if the speaker's key was destroyed."""
    if item.task is None:
        return None
    item.task.clip = item.clip  # whose key opens its words
    settled = _settled(item, item.task)
    return replace(
        of_task(item.task, now),
        objections=_objections(item.task),
        settled=settled,
        settled_label=str(Label(settled).label) if settled and not item.campaign.asks_for_words else "",
    )


def of_task(task: Task, now: datetime) -> Evidence:
    """Raises accounts.keys.KeyLost if the speaker's key was destroyed."""
    campaign = task.campaign
    certificate, soft = task.certificate or {}, task.soft or {}
    batches = fast_answers.batches_of(task)
    votes = votes_of([task], now)[task.pk]
    return Evidence(
        votes=[replace(vote, batch=batches.get(vote.volunteer or 0)) for vote in votes],
        bars=[] if campaign.asks_for_words else _bars(soft.get("probabilities", {})),
        words=_words(soft.get("words", [])) if campaign.asks_for_words else [],
        leading=certificate.get("verdict", {}).get("answer"),
        confidence=task.confidence,
        goal=campaign.confidence,
        one_more=_one_more(certificate.get("one_more_against")),
        machine_speech=task.clip.speech_share,
        draft=task.draft or "",
    )


def history(item: ReviewItem) -> list[Decision]:
    """All that was decided on the item's clip, newest first, with its words opened."""
    rows = Decision.objects.filter(clip=item.clip_id).select_related(
        "campaign", "clip__contributor__data_key", "reviewer"
    )
    return list(rows.order_by("-decided_at", "-pk"))


def votes_of(tasks: Sequence[Task], now: datetime) -> dict[int, list[VoteGiven]]:
    """The answers to these tasks of one campaign, by task, in a number of statements that does not grow.

    Raises accounts.keys.KeyLost if a speaker's key was destroyed.
    """
    by_number = {task.pk: task for task in tasks}
    found: dict[int, list[VoteGiven]] = {task.pk: [] for task in tasks}
    given = list(Annotation.objects.filter(task__in=by_number).order_by("pk"))
    people = {each.annotator_id for each in given if each.annotator_id is not None}
    known: dict[int, Reliable] = {}
    missed: dict[int | None, int] = {}
    weights: dict[int, float] = {}
    if people:
        campaign = tasks[0].campaign
        known = reliabilities.among(campaign, people)
        missed = _controls_missed(campaign, people, now)
        weights = person_weights.among(campaign, people)
    for each in given:
        each.task = by_number[each.task_id]  # whose key opens them
        who = known.get(each.annotator_id or 0)
        found[each.task_id].append(
            VoteGiven(
                volunteer=each.annotator_id,
                answer=each.answer,
                label="" if each.task.campaign.asks_for_words else str(Label(each.answer).label),
                several_speakers=each.several_speakers,
                reliability=who.score if who else None,
                too_fast=who.hurried if who else None,
                controls_missed=missed.get(each.annotator_id, 0),
                weight=weights.get(each.annotator_id or 0, 1.0),
            )
        )
    return {pk: sorted(votes, key=lambda vote: -(vote.reliability or 0)) for pk, votes in found.items()}


def _settled(item: ReviewItem, task: Task) -> str | None:
    is_told = task.status == Task.Status.SETTLED and item.reason != ReviewItem.Reason.SECOND_LOOK
    return task.answer if is_told else None


def _objections(task: Task) -> list[ObjectionMade]:
    made = Objection.objects.filter(annotation__task=task).select_related("annotation").order_by("pk")
    found = []
    for each in made:
        each.annotation.task = task  # whose key opens it
        label = "" if task.campaign.asks_for_words else str(Label(each.answer).label)
        who = each.annotation.annotator_id
        assert who is not None, "an objection goes with whoever made it"
        found.append(ObjectionMade(who, each.answer, label, each.note))
    return found


def _controls_missed(campaign: Campaign, people: Collection[int], now: datetime) -> dict[int | None, int]:
    """Of labels only: whether a transcript misses its control is no matter of yes or no."""
    if campaign.asks_for_words:
        return {}
    known = Control.objects.trusted().filter(
        campaign__kind=campaign.kind, campaign__language=campaign.language
    )
    wrong = Annotation.objects.filter(
        task__control__in=known, annotator__in=people, created_at__gt=now - LATELY
    ).exclude(plain_answer=F("task__plain_answer"))
    return dict(wrong.order_by().values_list("annotator").annotate(number=Count("pk")))


def _bars(probabilities: dict[str, float]) -> list[Bar]:
    bars = [Bar(answer, str(Label(answer).label), share) for answer, share in probabilities.items()]
    return sorted(bars, key=lambda bar: -bar.probability)


def _words(slots: list[dict[str, Any]]) -> list[Word]:
    return [Word(slot["word"], slot["agreement"], slot["probability"], _candidates(slot)) for slot in slots]


def _candidates(slot: dict[str, Any]) -> list[str]:
    """The chosen word first."""
    return [slot["word"], *(word for word in slot["votes"] if word != slot["word"])]


def _one_more(found: dict[str, Any] | None) -> OneMore | None:
    return OneMore(found["outcome"], found["answer"], found["confidence"]) if found else None

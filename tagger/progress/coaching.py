"""How a volunteer's own answers compare with the settled ones. Only the volunteer sees it."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rapidfuzz.distance import Levenshtein

from accounts.models import Purpose, User
from datasets import normalise
from datasets.models import Annotation, Campaign, Label, Task
from tagger.models import PersonWeight, Reliability, Repeat

# The figures look at this many of the newest answers.
NEWEST_LABELS, NEWEST_TRANSCRIPTS = 500, 40

# ((own answer, settled answer), how often)
MixUp = tuple[tuple[str, str], int]


@dataclass(frozen=True)
class Ratio:
    """`right` of `total`."""

    right: int
    total: int

    @property
    def percent(self) -> int | None:
        return round(100 * self.right / self.total) if self.total else None


@dataclass(frozen=True)
class AnswerSummary:
    """A person's answers to one kind of question in one language. `mixed_up` has the most frequent first."""

    kind: str
    language: str
    answers: int
    expected: int | None  # percent of answers expected to be right, from the last refit
    agreed: Ratio  # with the settled answers
    repeated: Ratio  # the same answer to a clip that was asked again
    mixed_up: list[MixUp]


def summaries(annotator: User) -> list[AnswerSummary]:
    """One for each kind and language that this person answered."""
    asked = annotator.annotations.values_list("task__campaign__kind", "task__campaign__language")
    reliabilities = {
        (row.crowd.kind, row.crowd.language): row for row in annotator.reliabilities.select_related("crowd")
    }
    return [
        _summary(annotator, kind, language, reliabilities.get((kind, language)))
        for kind, language in sorted(set(asked.distinct()))
    ]


def weighed_less(annotator: User) -> list[Campaign]:
    """Where a campaign's owner lets this person's answers count less than usual. They are told, kindly."""
    less = PersonWeight.objects.filter(person=annotator, factor__lt=1).select_related("campaign")
    return [each.campaign for each in less.order_by("campaign__slug")]


def _summary(annotator: User, kind: str, language: str, reliability: Reliability | None) -> AnswerSummary:
    given = annotator.annotations.filter(task__campaign__kind=kind, task__campaign__language=language)
    live = Task.objects.live_for(Purpose.VOLUNTEERS, per_row=True)
    settled = given.filter(task__in=live.filter(status=Task.Status.SETTLED))
    newest = settled.select_related("task").order_by("-created_at", "-pk")
    if kind == Campaign.Kind.WAKE_WORD:
        agreed, mixed_up = _agreed_labels(newest)
    else:
        agreed, mixed_up = _agreed_words(newest), []
    return AnswerSummary(
        kind=kind,
        language=language,
        answers=given.count(),
        expected=round(100 * reliability.score) if reliability else None,
        agreed=agreed,
        repeated=_repeated(annotator, kind, language),
        mixed_up=mixed_up,
    )


def _agreed_labels(newest: Any) -> tuple[Ratio, list[MixUp]]:
    pairs = Counter(newest.values_list("plain_answer", "task__plain_answer")[:NEWEST_LABELS])
    right = sum(number for (own, settled), number in pairs.items() if own == settled)
    mixed_up = Counter({pair: number for pair, number in pairs.items() if pair[0] != pair[1]})
    most = [((_name(own), _name(settled)), number) for (own, settled), number in mixed_up.most_common(3)]
    return Ratio(right, sum(pairs.values())), most


def _name(label: str) -> str:
    return str(Label(label).label)


def _agreed_words(newest: Any) -> Ratio:
    """How many words are the same as in the settled transcript."""
    right = total = 0
    opened = newest.select_related("task__campaign", "task__clip__contributor__data_key")
    for own, settled in _own_and_settled(opened[:NEWEST_TRANSCRIPTS]):
        longer = max(len(own), len(settled))
        right, total = right + longer - Levenshtein.distance(own, settled), total + longer
    return Ratio(right, total)


def _own_and_settled(rows: list[Annotation]) -> Iterator[tuple[list[str], list[str]]]:
    for given in rows:
        language = given.task.campaign.language
        yield normalise.words(given.answer, language), normalise.words(given.task.answer or "", language)


def _repeated(annotator: User, kind: str, language: str) -> Ratio:
    """How often they gave the same answer when they heard a clip again."""
    newest = Repeat.objects.filter(
        annotation__annotator=annotator,
        annotation__task__campaign__kind=kind,
        annotation__task__campaign__language=language,
    ).order_by("-pk")
    opened = newest.select_related(
        "annotation__task__campaign", "annotation__task__clip__contributor__data_key"
    )
    pairs = [(row.answer, row.annotation.answer) for row in opened[:NEWEST_TRANSCRIPTS]]
    same = sum(normalise.text(one, language) == normalise.text(other, language) for one, other in pairs)
    return Ratio(same, len(pairs))

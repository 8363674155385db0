"""What one annotator is told of how they answer, as a coach would: for their own eyes."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rapidfuzz.distance import Levenshtein

from accounts.models import Purpose, User
from datasets import normalise
from datasets.models import Annotation, Campaign, Label, Task
from tagger.models import Reliability, Repeat

# So far back do the figures look, in answers.
LABELS, TRANSCRIPTS = 500, 40


@dataclass(frozen=True)
class Share:
    """So many `of` so many."""

    right: int
    of: int

    @property
    def percent(self) -> int | None:
        return round(100 * self.right / self.of) if self.of else None


@dataclass(frozen=True)
class Report:
    """One kind of question in one language. `mixed_up` counts (own answer, what was settled), most first."""

    kind: str
    language: str
    answers: int
    expected: int | None  # percent of right answers, from the last refit
    agreed: Share
    same_again: Share
    mixed_up: list[tuple[tuple[str, str], int]]


def reports(annotator: User) -> list[Report]:
    """One for each kind and language that this person answered."""
    asked = annotator.annotations.values_list("task__campaign__kind", "task__campaign__language")
    known = {(row.crowd.kind, row.crowd.language): row for row in of_one(annotator)}
    return [
        _report(annotator, kind, language, known.get((kind, language)))
        for kind, language in sorted(set(asked.distinct()))
    ]


def of_one(annotator: User) -> Any:
    return annotator.reliabilities.select_related("crowd")


def repeated(annotator: User, kind: str, language: str) -> Share:
    """How often they said the same when they heard a clip again."""
    again = Repeat.objects.filter(
        annotation__annotator=annotator,
        annotation__task__campaign__kind=kind,
        annotation__task__campaign__language=language,
    ).order_by("-pk")
    opened = again.select_related(
        "annotation__task__campaign", "annotation__task__clip__contributor__data_key"
    )
    pairs = [(row.answer, row.annotation.answer) for row in opened[:TRANSCRIPTS]]
    return Share(sum(normalise.text(one) == normalise.text(other) for one, other in pairs), len(pairs))


def _report(annotator: User, kind: str, language: str, known: Reliability | None) -> Report:
    given = annotator.annotations.filter(task__campaign__kind=kind, task__campaign__language=language)
    live = Task.objects.live_for(Purpose.VOLUNTEERS, few=True)
    settled = given.filter(task__in=live.filter(status="settled"))
    newest = settled.select_related("task").order_by("-created_at", "-pk")
    agreed, mixed_up = _labels(newest) if kind == Campaign.Kind.WAKE_WORD else _words(newest)
    return Report(
        kind=kind,
        language=language,
        answers=given.count(),
        expected=round(100 * known.score) if known else None,
        agreed=agreed,
        same_again=repeated(annotator, kind, language),
        mixed_up=mixed_up,
    )


def _labels(newest: Any) -> tuple[Share, list[tuple[tuple[str, str], int]]]:
    pairs = Counter(newest.values_list("plain_answer", "task__plain_answer")[:LABELS])
    right = sum(number for (own, settled), number in pairs.items() if own == settled)
    mixed_up = Counter({pair: number for pair, number in pairs.items() if pair[0] != pair[1]})
    most = [((_name(own), _name(settled)), number) for (own, settled), number in mixed_up.most_common(3)]
    return Share(right, sum(pairs.values())), most


def _name(label: str) -> str:
    return str(Label(label).label)


def _words(newest: Any) -> tuple[Share, list[tuple[tuple[str, str], int]]]:
    """Words, of which so many are as in the text that was settled."""
    right = total = 0
    opened = newest.select_related("task__campaign", "task__clip__contributor__data_key")
    for own, settled in _both(opened[:TRANSCRIPTS]):
        longer = max(len(own), len(settled))
        right, total = right + longer - Levenshtein.distance(own, settled), total + longer
    return Share(right, total), []


def _both(rows: list[Annotation]) -> Iterator[tuple[list[str], list[str]]]:
    for given in rows:
        yield normalise.words(given.answer), normalise.words(given.task.answer or "")

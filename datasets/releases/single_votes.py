"""The answers of volunteers one by one: pinned when a release is made, and read back for its archives.

Only of people who agreed to that (datasets.releases.taking_back), and only what they answered since. Answers
that are no one's any more are not among them, nor repeats or answers to practice clips, which are no votes.
"""

import secrets
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, NamedTuple, TypeVar

from accounts.models import User
from datasets import normalise, words
from datasets.models import Annotation, Release, ReleaseAnnotator, ReleaseRow, SingleVote

from . import groups
from .formats import rows as formats
from .formats import single_votes

BATCH_SIZE = 2_000
COLUMNS = ("day", "weight")  # which can be left unsaid

Said = TypeVar("Said", date, float)


def pin(release: Release) -> dict[str, Any]:
    """Pin the votes on the rows of a release that is being made; returns what its documents say of them.

    Raises groups.TellsApart if they are of too few people.
    """
    _Pinning(release).run()
    groups.check_annotators(release)
    unsaid = [column for column in COLUMNS if _leave_unsaid(release, column)]
    return {"votes": SingleVote.objects.filter(row__release=release).count(), "unsaid": unsaid}


class _Pinning:
    """Goes through the rows in batches; each person gets an id with their first vote."""

    def __init__(self, release: Release) -> None:
        self._release = release
        agreeing = User.objects.filter(is_active=True, single_votes_since__isnull=False)
        self._since = dict(agreeing.values_list("pk", "single_votes_since"))
        self._annotators: dict[int, ReleaseAnnotator] = {}

    def run(self) -> None:
        related = "task__campaign", "task__clip__contributor__data_key"
        rows = self._release.rows.select_related(*related).order_by("pk")
        last = 0
        while batch := list(rows.filter(pk__gt=last)[:BATCH_SIZE]):
            last = batch[-1].pk
            given = _given({row.task_id for row in batch})
            votes = [vote for row in batch for vote in self._votes(row, given[row.task_id])]
            SingleVote.objects.bulk_create(votes, batch_size=BATCH_SIZE)

    def _votes(self, row: ReleaseRow, given: Sequence[Annotation]) -> list[SingleVote]:
        weights = _weights(row, len(given))
        # In random order, in which they stay: that of their rows is the order in which people answered.
        listed = [
            self._vote(row, each, weight)
            for each, weight in zip(given, weights, strict=True)
            if self._is_agreed(each)
        ]
        secrets.SystemRandom().shuffle(listed)
        return listed

    def _is_agreed(self, given: Annotation) -> bool:
        since = self._since.get(given.annotator_id or 0)
        return since is not None and _answered_at(given) >= since

    def _vote(self, row: ReleaseRow, given: Annotation, weight: float | None) -> SingleVote:
        given.task = row.task  # whose key opens it
        campaign = row.task.campaign
        answer = normalise.text(given.answer, campaign.language) if campaign.asks_for_words else given.answer
        return SingleVote(  # type: ignore[misc]
            row=row,
            giver=self._annotator(given),
            answer=answer,
            size=len(answer.encode()),
            weight=weight,
            day=_answered_at(given).astimezone(UTC).date(),
        )

    def _annotator(self, given: Annotation) -> ReleaseAnnotator:
        person = given.annotator_id
        assert person is not None
        if person not in self._annotators:
            made = ReleaseAnnotator(release=self._release, person_id=person, public_id=secrets.token_hex(8))
            made.save(force_insert=True)
            self._annotators[person] = made
        return self._annotators[person]


def _given(tasks: Iterable[int]) -> Mapping[int, list[Annotation]]:
    """All answers to each task, in the order in which a certificate lists their weights."""
    by_task: dict[int, list[Annotation]] = defaultdict(list)
    for each in Annotation.objects.filter(task__in=tasks).order_by("pk"):
        by_task[each.task_id].append(each)
    return by_task


def _answered_at(given: Annotation) -> datetime:
    return given.changed_at or given.created_at


def _weights(row: ReleaseRow, answers: int) -> Sequence[float | None]:
    """What the certificate says each answer counted: nothing, if it is about other answers."""
    certificate = row.task.certificate
    if certificate.get("votes", {}).get("count") != answers:
        return [None] * answers
    return certificate.get("weights") or [1.0] * answers


def _leave_unsaid(release: Release, column: str) -> int:
    """Leave unsaid what would tell few annotators apart in this column; returns of how many votes."""
    votes = SingleVote.objects.filter(row__release=release)
    people: dict[Any, set[int]] = defaultdict(set)
    for value, giver in votes.order_by().values_list(column, "giver").distinct():
        people[value].add(giver)
    hidden = to_hide(people, groups.least(release))
    return votes.filter(**{f"{column}__in": hidden}).update(**{column: None})


def to_hide(people: Mapping[Said | None, set[int]], few: int) -> list[Said]:
    """The values that fewer than `few` have, the rarest first; and more, until as many have a hidden one.

    >>> to_hide({1.0: {1, 2, 3}, 0.5: {1, 2}, 2.0: {3}}, 2)
    [2.0, 0.5]
    """
    hidden, behind = list[Said](), set(people.get(None, ()))
    said = [(len(having), value) for value, having in people.items() if value is not None]
    for number, value in sorted(said):
        if number >= few and (not behind or len(behind) >= few):
            break
        hidden.append(value)
        behind |= people[value]
    return hidden


class Stored(NamedTuple):
    """A vote as `stored` reads it. `annotator` is None if it was taken back."""

    row: str
    annotator: str | None
    plain_answer: str
    sealed_answer: memoryview
    size: int
    weight: float | None
    day: date | None
    is_active: bool | None
    since: datetime | None


_FIELDS = (
    "row__public_id",
    "giver__public_id",
    "plain_answer",
    "sealed_answer",
    "size",
    "weight",
    "day",
    "giver__person__is_active",
    "giver__person__single_votes_since",
)

_ID = " " * 2 * 8


def stored(release: Release, ids: Collection[str]) -> Mapping[str, list[Stored]]:
    """The votes on these rows, each row's always in the same order."""
    by_row: dict[str, list[Stored]] = defaultdict(list)
    found = SingleVote.objects.filter(row__release=release, row__public_id__in=ids).order_by("pk")
    for values in found.values_list(*_FIELDS):
        vote = Stored(*values)
        by_row[vote.row].append(vote)
    return by_row


def seal_label(clip: int, campaign: int) -> str:
    """What is authenticated together with a sealed answer."""
    return words.seal_label(SingleVote, "answer", clip, campaign)


def told(vote: Stored, unsealed: Callable[[memoryview], str]) -> formats.SingleVote:
    """What an archive says of it: nothing, if whoever gave it left or took it back."""
    if not (vote.annotator and vote.is_active and vote.since):
        return blank(vote)
    answer = unsealed(vote.sealed_answer) if vote.sealed_answer else vote.plain_answer
    return formats.SingleVote(vote.annotator, answer, vote.weight, _written(vote.day))


def blank(vote: Stored) -> formats.SingleVote:
    return single_votes.blank(formats.SingleVote(_ID, " " * vote.size, vote.weight, _written(vote.day)))


def _written(day: date | None) -> str | None:
    return None if day is None else day.isoformat()

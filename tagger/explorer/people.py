"""The people who answer in a campaign, as its owner sees them: by number, with how they answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from datasets.models import Campaign, Label
from tagger.consensus.intervals import wilson
from tagger.models import PairFigures, PeopleCount, PersonFigures, PersonWeight
from tagger.settling import person_weights, reliabilities
from tagger.settling.reliabilities import Reliable

from .counting import TOP

PAGE = 50


@dataclass(frozen=True)
class Share:
    """`found` of `number`, with the 95 % interval by Wilson."""

    found: int
    number: int

    @property
    def percent(self) -> int | None:
        return round(100 * self.found / self.number) if self.number else None

    @property
    def interval(self) -> tuple[int, int]:
        low, high = wilson(self.found, self.number)
        return round(100 * low), round(100 * high)


@dataclass(frozen=True)
class Person:
    """`reliability` is that of the last refit."""

    figures: PersonFigures
    reliability: Reliable | None
    weight: float

    @property
    def number(self) -> int:
        return self.figures.person_id

    @property
    def agreement(self) -> Share:
        return Share(self.figures.agreed, self.figures.compared)

    @property
    def controls(self) -> Share:
        return Share(self.figures.controls_right, self.figures.controls)

    @property
    def one_answer(self) -> Share | None:
        """How often they gave the answer that they give most; None for transcripts."""
        most = self.figures.most_given
        return None if most is None else Share(most, self.figures.answers)

    @property
    def expected(self) -> Share | None:
        """How many of their answers are expected to be right."""
        if self.reliability is None:
            return None
        answers = self.reliability.answers
        return Share(round(self.reliability.score * answers), answers)

    @property
    def too_fast_percent(self) -> int | None:
        return None if self.reliability is None else round(100 * self.reliability.hurried)


@dataclass(frozen=True)
class Page:
    people: list[Person]
    number: int
    has_more: bool


def page(campaign: Campaign, number: int = 1) -> Page:
    """Those with most answers first, PAGE at a time."""
    number = min(max(number, 1), 1_000)
    rows = PersonFigures.objects.filter(campaign=campaign).order_by("-answers", "person")
    found = list(rows[(number - 1) * PAGE : number * PAGE + 1])
    return Page(_with_more(campaign, found[:PAGE]), number, len(found) > PAGE)


def one(campaign: Campaign, pk: int) -> Person | None:
    """None if they have not answered here, as far as was counted."""
    return next(
        iter(_with_more(campaign, list(PersonFigures.objects.filter(campaign=campaign, person=pk)))), None
    )


def _with_more(campaign: Campaign, found: Sequence[PersonFigures]) -> list[Person]:
    people = [each.person_id for each in found]
    known = reliabilities.among(campaign, people)
    weights = person_weights.among(campaign, people)
    return [
        Person(each, known.get(each.person_id), weights.get(each.person_id, person_weights.USUAL))
        for each in found
    ]


def measured_at(campaign: Campaign) -> PeopleCount | None:
    return PeopleCount.objects.filter(campaign=campaign).exclude(measured_at=None).first()


def as_dict(person: Person) -> dict[str, Any]:
    figures = person.figures
    names = ("answers", "days", "seconds_each", "compared", "agreed", "controls", "controls_right")
    one_answer = person.one_answer
    return {name: getattr(figures, name) for name in names} | {
        "person": person.number,
        "one_answer_share": one_answer and one_answer.found / one_answer.number,
        "reliability": person.reliability and person.reliability.score,
        "too_fast": person.reliability and person.reliability.hurried,
        "weight": person.weight,
    }


@dataclass(frozen=True)
class Matrix:
    """For a heat map: `shares` of the same answers, 0 to 1, and `overlaps`, the clips that both answered."""

    people: list[int]
    shares: list[tuple[int, list[float | None]]]
    overlaps: list[tuple[int, list[int | None]]]


def matrix(campaign: Campaign) -> Matrix:
    """Of the TOP people with most answers who answered clips together."""
    found = {(each.one_id, each.other_id): each for each in PairFigures.objects.filter(campaign=campaign)}
    own = PersonFigures.objects.filter(campaign=campaign, person__in={who for pair in found for who in pair})
    people = list(own.order_by("-answers", "person").values_list("person", flat=True)[:TOP])

    def cell(one: int, other: int) -> PairFigures | None:
        return found.get((min(one, other), max(one, other)))

    rows = [(one, [cell(one, other) for other in people]) for one in people]
    return Matrix(
        people,
        [(one, [round(each.same / each.both, 2) if each else None for each in cells]) for one, cells in rows],
        [(one, [each.both if each else None for each in cells]) for one, cells in rows],
    )


def confusion(person: Person) -> list[tuple[str, list[float | None]]]:
    """A row for each settled answer: the shares of what they said there. For a heat map."""
    rows: list[tuple[str, list[float | None]]] = []
    for settled in Label:
        given = person.figures.confusion.get(settled.value, {})
        total = sum(given.values())
        shares = [round(given.get(label, 0) / total, 2) if total else None for label in Label.values]
        rows.append((f"{settled.label} ({total})", shares))
    return rows


def weight_of(campaign: Campaign, person: int) -> PersonWeight | None:
    found = PersonWeight.objects.filter(campaign=campaign, person=person)
    return found.select_related("person__data_key").first()

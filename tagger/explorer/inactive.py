"""People who stopped answering in a campaign: its owner is asked what their answers count."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django import forms
from django.db.models import Count, Q, QuerySet, Sum
from django.utils.timezone import localdate
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from datasets.models import Campaign
from tagger.models import PeopleCount, PersonFigures, PersonWeight

DAYS = (30, 90, 180, 365)


@dataclass(frozen=True)
class Stopped:
    """How many people have not answered for so many days, and how many answers they gave."""

    days: int
    people: int
    answers: int


def counts(count: PeopleCount | None) -> list[Stopped]:
    """For each choice of days, as of this count of the campaign's people."""
    return [Stopped(int(days), *found) for days, found in count.stopped.items()] if count else []


def count_stopped(campaign: Campaign, now: datetime) -> dict[str, list[int]]:
    """{days: [people, answers]}, for whoever counts the campaign's people."""
    wanted: dict[str, Any] = {}
    for days in DAYS:
        wanted[f"people_{days}"] = Count("pk", filter=_condition(days, localdate(now)))
        wanted[f"answers_{days}"] = Sum("answers", filter=_condition(days, localdate(now)), default=0)
    found = PersonFigures.objects.filter(campaign=campaign).aggregate(**wanted)
    return {str(days): [found[f"people_{days}"], found[f"answers_{days}"]] for days in DAYS}


def people(campaign: Campaign, days: int, now: datetime) -> Sequence[int]:
    found: QuerySet[PersonFigures] = PersonFigures.objects.filter(
        _condition(days, localdate(now)), campaign=campaign
    )
    return list(found.values_list("person", flat=True))


def _condition(days: int, today: date) -> Q:
    """An account that is closed answers no more, whenever it last did."""
    return Q(last_on__lt=today - timedelta(days=days)) | Q(person__is_active=False)


class InactiveForm(forms.Form):
    """Nothing is chosen beforehand."""

    days = forms.TypedChoiceField(
        label=_("They have not answered for"),
        coerce=int,
    )
    factor = forms.TypedChoiceField(
        label=_("Their answers count"),
        coerce=float,
        choices=[
            (PersonWeight.Factor.USUAL, PersonWeight.Factor.USUAL.label),
            (PersonWeight.Factor.LESS, PersonWeight.Factor.LESS.label),
            (PersonWeight.Factor.NOTHING, PersonWeight.Factor.NOTHING.label),
        ],
        widget=forms.RadioSelect,
    )

    def __init__(self, data: Any, stopped: Sequence[Stopped]) -> None:
        super().__init__(data)
        days: Any = self.fields["days"]
        described = [(each.days, _described(each)) for each in stopped if each.people]
        days.choices = [("", _("Choose")), *described]


def _described(stopped: Stopped) -> str:
    people = ngettext("%(number)d person", "%(number)d people", stopped.people) % {"number": stopped.people}
    answers = ngettext("%(number)d answer", "%(number)d answers", stopped.answers) % {
        "number": stopped.answers
    }
    return gettext("%(days)d days: %(people)s, %(answers)s") % {
        "days": stopped.days,
        "people": people,
        "answers": answers,
    }

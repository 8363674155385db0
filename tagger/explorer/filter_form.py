"""The filter of a campaign's clips as it stands in an address. What fits nothing is said beside its field."""

import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from datasets.models import Campaign, Clip, Label, Task

from .selection import HIDDEN, Selection

ANY = [("", _("Any"))]
LARGEST = 2**31 - 1
QUARTER = re.compile(r"(\d{4})-Q([1-4])", re.ASCII)
# The names of pairs of limits, and whether the upper one belongs to what is found.
RANGES = ("confidence", "seconds", "speech", "votes")


def _share(label: Any) -> forms.FloatField:
    return forms.FloatField(required=False, min_value=0, max_value=1, label=label)


def _number(label: Any, least: int = 0) -> forms.IntegerField:
    return forms.IntegerField(required=False, min_value=least, max_value=LARGEST, label=label)


class FilterForm(forms.Form):
    status = forms.ChoiceField(
        required=False, label=_("Status"), choices=[*ANY, *Task.Status.choices, (HIDDEN, _("hidden"))]
    )
    answer = forms.CharField(required=False, max_length=20, label=_("Answer"))
    confidence_from = _share(_("Confidence from"))
    confidence_to = _share(_("Confidence below"))
    votes_from = _number(_("Answers from"))
    votes_to = _number(_("Answers to"))
    seconds_from = forms.FloatField(required=False, min_value=0, max_value=86_400, label=_("Seconds from"))
    seconds_to = forms.FloatField(required=False, min_value=0, max_value=86_400, label=_("Seconds below"))
    speech_from = _share(_("Share of speech from"))
    speech_to = _share(_("Share of speech below"))
    source = forms.ChoiceField(required=False, label=_("Source"), choices=[*ANY, *Clip.Source.choices])
    quarter = forms.CharField(required=False, max_length=10, label=_("Quarter, such as 2026-Q2"))
    contributor = _number(_("Contributor’s number"), 1)
    answered_by = _number(_("Answered by volunteer"), 1)
    also_by = _number(_("… and by volunteer"), 1)
    gave = forms.CharField(required=False, max_length=20, label=_("What the first of them answered"))
    reported = forms.ChoiceField(required=False, label=_("Reports"), choices=[*ANY, ("1", _("reported"))])

    def __init__(self, data: QueryDict | dict[str, Any], campaign: Campaign) -> None:
        super().__init__(data)
        self.campaign = campaign
        for name in ("answer", "gave"):
            if not campaign.asks_for_words:
                self.fields[name].widget = forms.Select(choices=[*ANY, *Label.choices])
            elif not data.get(name):  # what was written is sealed, and no query can look into it
                del self.fields[name]

    def clean_answer(self) -> str:
        return self._label("answer")

    def clean_gave(self) -> str:
        return self._label("gave")

    def _label(self, name: str) -> str:
        answer: str = self.cleaned_data[name]
        if self.campaign.asks_for_words and answer:
            raise ValidationError(_("Transcripts are sealed, so no filter can look into them."))
        if answer and answer not in Label.values:
            raise ValidationError(_("There is no such answer."))
        return answer

    def clean_quarter(self) -> str:
        quarter: str = self.cleaned_data["quarter"]
        if quarter and not (QUARTER.fullmatch(quarter) and 1970 <= int(quarter[:4]) < 2200):
            raise ValidationError(_("Write a quarter as 2026-Q2."))
        return quarter

    def clean(self) -> dict[str, Any]:
        found = self.cleaned_data
        if (found.get("gave") or found.get("also_by")) and not found.get("answered_by"):
            self.add_error("answered_by", _("Write a volunteer’s number here first."))
        for name in RANGES:
            least, most = found.get(f"{name}_from"), found.get(f"{name}_to")
            if least is not None and most is not None and least > most:
                self.add_error(f"{name}_to", _("This is less than where it begins."))
        return found

    @property
    def given(self) -> dict[str, Any]:
        """What is filtered by; only of a valid form."""
        return {name: value for name, value in self.cleaned_data.items() if value not in (None, "")}

    @property
    def has_more(self) -> bool:
        """Whether it filters by what the page does not show at once."""
        return self.is_valid() and not self.given.keys() <= {"status", "answer", "reported"}

    def selection(self) -> Selection:
        """Only of a valid form."""
        given = dict(self.given)
        if quarter := given.pop("quarter", None):
            given["recorded"] = _months(quarter)
        return Selection(self.campaign, given)

    def query(self) -> str:
        """The filter for an address; empty if it has errors."""
        return urlencode(self.given) if self.is_valid() else ""


def _months(quarter: str) -> tuple[datetime, datetime]:
    """The first moment of the quarter, and that of the next one."""
    year, number = int(quarter[:4]), int(quarter[-1])
    begins = datetime(year, 3 * number - 2, 1, tzinfo=UTC)
    ends = datetime(year + number // 4, 3 * (number % 4) + 1, 1, tzinfo=UTC)
    return begins, ends

"""What an owner does with chosen clips, or with all that a filter finds."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from tagger.models import ClipJob, Decision
from tagger.review.acts import MOST_MORE

from . import selection
from .acts import PRIORITIES, Options

NAMES_OF_PRIORITIES = (_("first"), _("as usual"), _("last"))
LARGEST = 2**63 - 1


class ActForm(forms.Form):
    act = forms.ChoiceField(label=_("What to do"), choices=ClipJob.Act.choices)
    priority = forms.TypedChoiceField(
        label=_("Priority"),
        required=False,
        coerce=int,
        empty_value=None,
        choices=list(zip(PRIORITIES, NAMES_OF_PRIORITIES, strict=True)),
    )
    reason = forms.ChoiceField(
        label=_("Why it is unusable"), required=False, choices=Decision.UnusableReason.choices
    )
    number = forms.TypedChoiceField(
        label=_("More answers"),
        required=False,
        coerce=int,
        empty_value=None,
        choices=[(number, number) for number in range(1, MOST_MORE + 1)],
    )

    def __init__(self, data: QueryDict | None = None) -> None:
        super().__init__(data)
        self.chosen = [
            int(number)
            for number in (data.getlist("clip") if data else [])[: selection.PAGE]
            if number.isascii() and number.isdecimal() and int(number) <= LARGEST
        ]
        self.is_of_all = bool(data and data.get("every"))

    def clean(self) -> dict[str, Any]:
        if not self.chosen and not self.is_of_all:
            raise ValidationError(_("Choose the clips first."))
        return self.cleaned_data

    @property
    def options(self) -> Options:
        """What the chosen act takes."""
        found = self.cleaned_data
        if found["act"] == ClipJob.Act.PRIORITY:
            return {"priority": PRIORITIES[0] if found["priority"] is None else found["priority"]}
        if found["act"] == ClipJob.Act.UNUSABLE:
            return {"reason": found["reason"] or Decision.UnusableReason.OTHER.value}
        if found["act"] == ClipJob.Act.ASK_MORE:
            return {"number": found["number"] or 1}
        return {}

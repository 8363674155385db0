from django import forms
from django.utils.translation import gettext_lazy as _

from datasets.models import Campaign, Label

from .assignments import LONGEST_TRANSCRIPT


class LabelForm(forms.Form):
    answer = forms.ChoiceField(choices=Label.choices)


class TranscriptForm(forms.Form):
    answer = forms.CharField(
        required=False,
        strip=True,
        max_length=LONGEST_TRANSCRIPT,
        label=_("What is said?"),
        widget=forms.Textarea(attrs={"rows": 3, "autocomplete": "off", "autocapitalize": "off"}),
    )
    no_speech = forms.BooleanField(required=False)

    def clean(self) -> dict[str, object]:
        cleaned = super().clean() or {}
        # An empty box is more often a slip than an answer, so 'nobody speaks' has its own button.
        if cleaned.get("no_speech"):
            cleaned["answer"] = ""
        elif not cleaned.get("answer") and not self.errors:
            raise forms.ValidationError(_("Write what is said, or press “Nobody speaks”."))
        return cleaned


def form_for(campaign: Campaign) -> type[LabelForm] | type[TranscriptForm]:
    return LabelForm if campaign.kind == Campaign.Kind.WAKE_WORD else TranscriptForm

from django import forms
from django.utils.translation import gettext_lazy as _

from datasets import normalise
from datasets.models import Campaign, Label


class LabelForm(forms.Form):
    answer = forms.ChoiceField(choices=Label.choices)


class TranscriptForm(forms.Form):
    answer = forms.CharField(
        required=False,
        strip=True,
        max_length=normalise.LONGEST,
        label=_("What is said?"),
        widget=forms.Textarea(attrs={"rows": 3, "autocomplete": "off", "autocapitalize": "off"}),
    )
    no_speech = forms.BooleanField(required=False)

    def clean(self) -> dict[str, object]:
        cleaned = super().clean() or {}
        # An empty box is more often a slip than an answer, so “No one speaks” has its own button.
        if cleaned.get("no_speech"):
            cleaned["answer"] = ""
        elif not cleaned.get("answer") and not self.errors:
            raise forms.ValidationError(_("Write what is said, or press “No one speaks”."))
        return cleaned


class ExampleForm(forms.Form):
    """Whether to show the decided clip as an example next to the guidelines, and the note shown with it."""

    is_example = forms.BooleanField(
        required=False, label=_("Let volunteers hear it next to the guidelines, with your answer")
    )
    # A textarea, because Enter in a one-line field would press the first answer button.
    note = forms.CharField(
        required=False,
        max_length=200,
        label=_("Why this is the answer (volunteers will read it)"),
        widget=forms.Textarea(attrs={"rows": 2}),
    )


class PledgeForm(forms.Form):
    use_required_attribute = False  # the page's own message says what is missing, not the browser's
    promise = forms.BooleanField(
        label=_("I promise"),
        error_messages={"required": _("Tick “I promise” first. No one is given a clip before that.")},
    )


def form_for(campaign: Campaign) -> type[LabelForm] | type[TranscriptForm]:
    return LabelForm if campaign.kind == Campaign.Kind.WAKE_WORD else TranscriptForm

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from datasets.models import Campaign, Prompt

from .recording import MAX_BYTES
from .wording import TOO_LARGE_FILE


class RecordingForm(forms.Form):
    """A recording, with the sentence that it is a reading of, if any."""

    audio = forms.FileField(
        error_messages={
            "required": _("Choose a recording first."),
            "empty": _("This file is empty."),
        }
    )
    prompt = forms.ModelChoiceField(
        Prompt.objects.none(),
        required=False,
        error_messages={"invalid_choice": _("This sentence is no longer needed.")},
    )

    def __init__(self, campaign: Campaign, *args: Any) -> None:
        super().__init__(*args)
        self.fields["prompt"].queryset = campaign.prompts.all()  # type: ignore[attr-defined]

    def clean_audio(self) -> Any:
        file = self.cleaned_data["audio"]
        if file.size > MAX_BYTES:
            raise forms.ValidationError(TOO_LARGE_FILE)
        return file

    def problem(self) -> str:
        return " ".join(str(message) for messages in self.errors.values() for message in messages)

"""Where an owner wants to be told what happens, and of what."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from datasets.models import Webhook
from datasets.webhooks import places
from datasets.webhooks.places import Place
from datasets.webhooks.refusals import WebhookRefused
from datasets.webhooks.wording import in_words


class WebhookForm(forms.Form):
    url = forms.CharField(
        max_length=places.LONGEST,
        label=_("Address of your server"),
        help_text=_("It begins with https://. What you write after the host may be a secret of yours."),
        widget=forms.TextInput(attrs={"dir": "ltr", "inputmode": "url", "autocomplete": "off"}),
    )
    events = forms.MultipleChoiceField(
        choices=Webhook.Event.choices,
        label=_("What it is told"),
        error_messages={"required": _("Choose at least one kind of message.")},
        widget=forms.CheckboxSelectMultiple,
    )
    place: Place

    def clean_url(self) -> Any:
        try:
            self.place = places.allowed_place(self.cleaned_data["url"])
        except WebhookRefused as refused:
            raise ValidationError(in_words(refused), code=refused.code) from None
        return self.cleaned_data["url"]

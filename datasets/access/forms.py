from django import forms
from django.utils.translation import gettext_lazy as _

from . import terms
from .deciding import LONGEST_REASON

LONGEST_NAME, LONGEST_PURPOSE = 200, 1_000


class AskForm(forms.Form):
    """Who wants a release and what for, and that they accept the terms as the page showed them."""

    name = forms.CharField(
        label=_("Your name, and where you work or study"),
        max_length=LONGEST_NAME,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    purpose = forms.CharField(
        label=_("What you want it for"),
        max_length=LONGEST_PURPOSE,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("One or two sentences are enough."),
    )
    accept = forms.BooleanField(
        label=_("I accept these terms."), error_messages={"required": _("Accept the terms to ask for it.")}
    )
    version = forms.CharField(max_length=8, widget=forms.HiddenInput, initial=terms.VERSION)


class DecisionForm(forms.Form):
    do = forms.ChoiceField(choices=[("grant", "grant"), ("refuse", "refuse"), ("end", "end")])
    reason = forms.CharField(required=False, max_length=LONGEST_REASON)

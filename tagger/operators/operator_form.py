"""The forms of the first steps: who runs this site, and whom to give a role."""

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext_lazy as _

from accounts import names
from accounts.models import Operator, Role, User

ADMIN = "admin"
WHAT_THEY_DO = {
    Role.REVIEWER: _("Reviewer: decides disputes and looks at reported clips"),
    Role.PRIVACY_REVIEWER: _("Privacy reviewer: hears clips before they are published"),
    Role.OWNER: _("Campaign owner: runs campaigns of their own and brings clips"),
    Role.RESEARCHER: _("Researcher: downloads releases"),
    ADMIN: _("Admin: everything, also giving roles"),
}


def is_contact(text: str) -> bool:
    """An e-mail address, a page, or a telephone number: what a link can lead to."""
    if re.fullmatch(r"https://[^\s/]+\S*|\+?[\d ()/-]{5,30}", text):
        return True
    try:
        validate_email(text)
    except ValidationError:
        return False
    return True


class OperatorForm(forms.ModelForm):
    privacy_url = forms.URLField(
        label=_("Address of your privacy page, if it is elsewhere"),
        required=False,
        max_length=500,
        assume_scheme="https",
        widget=forms.TextInput(attrs={"inputmode": "url", "dir": "ltr"}),
    )

    class Meta:
        model = Operator
        fields = ("name", "contact", "postal_address", "privacy_url", "privacy_text")
        labels = {
            "name": _("Organisation or person"),
            "contact": _("Contact"),
            "postal_address": _("Postal address (optional)"),
            "privacy_text": _("Or the text of your privacy page"),
        }
        help_texts = {
            "contact": _("an e-mail address, a page that begins with https://, or a telephone number"),
            "privacy_text": _("Markdown: **bold**, - lists, ## headings and [links](https://…)"),
        }
        widgets = {
            "name": forms.TextInput(attrs={"autocomplete": "organization"}),
            "contact": forms.TextInput(attrs={"autocomplete": "off", "dir": "ltr"}),
            "postal_address": forms.Textarea(attrs={"rows": 3}),
            "privacy_text": forms.Textarea(attrs={"rows": 6}),
        }

    def clean_contact(self) -> str:
        contact: str = self.cleaned_data["contact"]
        if not is_contact(contact):
            raise ValidationError(
                _("Write an e-mail address, a page that begins with https://, or a telephone number.")
            )
        return contact

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean() or {}
        if cleaned.get("privacy_url") and cleaned.get("privacy_text"):
            self.add_error("privacy_text", _("Give the address or the text, not both."))
        return cleaned


class RolesForm(forms.Form):
    pseudonym = forms.CharField(
        label=_("Pseudonym"),
        max_length=150,
        help_text=_("of an account on this site: people sign up by themselves"),
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )
    roles = forms.MultipleChoiceField(
        label=_("Roles to give"),
        choices=list(WHAT_THEY_DO.items()),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Tick at least one.")},
    )

    def clean_pseudonym(self) -> str:
        pseudonym: str = self.cleaned_data["pseudonym"]
        found = User.objects.found_by(names.looked_up(pseudonym)).filter(is_active=True)
        person = found.first()
        if person is None:
            raise ValidationError(_("Nobody here has this pseudonym."))
        self.person = person
        return pseudonym

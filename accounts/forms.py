from allauth.account.adapter import get_adapter
from allauth.account.forms import ResetPasswordForm as AllauthResetForm
from allauth.account.forms import SignupForm as AllauthSignupForm
from allauth.account.forms import default_token_generator
from allauth.account.internal.flows.password_reset import request_password_reset
from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from .ciphers import hashed_name
from .models import User


class SignupForm(AllauthSignupForm):
    """A pseudonym and a password; an address only for people who want to be able to reset it."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = _("Pseudonym")
        self.fields["username"].widget.attrs.pop("placeholder", None)
        self.fields["username"].help_text = _("Choose any name except your real one. You log in with it.")
        if "email" in self.fields:
            self.fields["email"].label = _("E-mail (optional)")
            self.fields["email"].help_text = _("Used only to set a new password if you forget yours.")

    def save(self, request: HttpRequest) -> User:
        """allauth's own would keep the address once more, in plain, in a table of its own."""
        adapter = get_adapter()
        person: User = adapter.save_user(request, adapter.new_user(request), self)
        return person


class ResetForm(AllauthResetForm):
    """Asks for the pseudonym: addresses are sealed, so nobody can be found by theirs."""

    email = forms.CharField(label=_("Pseudonym"), max_length=150)  # allauth's view calls the field so

    def clean_email(self) -> str:
        # Whether somebody of that name is here, or gave an address, is not told.
        pseudonym: str = self.cleaned_data["email"]
        self.users = [
            person
            for person in User.objects.filter(username=hashed_name(pseudonym), is_active=True)
            if person.address
        ]
        return pseudonym

    def save(self, request: HttpRequest, **kwargs: object) -> str:
        for person in self.users:
            request_password_reset(request, person.address, [person], default_token_generator)
        return str(self.cleaned_data["email"])

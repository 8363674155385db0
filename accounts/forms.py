from typing import Any, cast

from allauth.account.adapter import get_adapter
from allauth.account.forms import ChangePasswordForm as AllauthChangePasswordForm
from allauth.account.forms import ResetPasswordForm as AllauthResetForm
from allauth.account.forms import SignupForm as AllauthSignupForm
from allauth.account.forms import default_token_generator
from allauth.account.internal.flows.password_reset import request_password_reset
from allauth.core import context
from django import forms
from django.http import HttpRequest
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from . import client_addresses, limits, names, password_tries, too_many
from .models import TOKEN_DAYS, Scope, User

ADDRESS_USED_FOR = _(
    "Used to set a new password if you forget yours, and to write to you about campaigns that you run and"
    " releases that you ask for."
)
TOKEN_DAYS_OFFERED = (30, TOKEN_DAYS, 365)


def counted(*uses: limits.Use) -> limits.Counted:
    """Counts them for a form, which is shown again with what was typed if a limit is reached."""
    try:
        return limits.count(timezone.now(), *uses)
    except limits.LimitReached as reached:
        raise refused(reached) from reached


def refused(reached: limits.LimitReached) -> forms.ValidationError:
    return forms.ValidationError(too_many.sentence(context.request, reached), code=reached.code)


class SignupForm(AllauthSignupForm):
    """A pseudonym and a password, and optionally an address for resetting the password."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = _("Pseudonym")
        self.fields["username"].widget.attrs.pop("placeholder", None)
        self.fields["username"].help_text = _("Choose any name except your real one. You log in with it.")
        if "email" in self.fields:
            self.fields["email"].label = _("E-mail (optional)")
            self.fields["email"].help_text = ADDRESS_USED_FOR

    def clean(self) -> dict[str, object]:
        address = client_addresses.client(context.request)
        try:
            counted((limits.SIGN_UP_FORMS, address))
        except forms.ValidationError:
            self.errors.clear()  # so that no one learns by the million which names are taken
            raise
        cleaned: dict[str, object] = super().clean()
        if not self.errors:  # a person who mistyped has not signed up yet
            counted((limits.SIGN_UPS, address))
        return cleaned

    def save(self, request: HttpRequest) -> User:
        """allauth's version would store the address again, in plain text, in its own table."""
        adapter = get_adapter()
        person: User = adapter.save_user(request, adapter.new_user(request), self)
        return person


class ResetForm(AllauthResetForm):
    """Asks for the pseudonym, because addresses are sealed and cannot be searched."""

    email = forms.CharField(  # allauth's view needs this name
        label=_("Pseudonym"),
        max_length=150,
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none"}),
    )

    def clean_email(self) -> str:
        # Never reveal whether this pseudonym exists, or whether it has an address.
        pseudonym: str = self.cleaned_data["email"]
        counted(
            (limits.RESETS_AT_ADDRESS, client_addresses.client(context.request)),
            (limits.RESETS_OF_ACCOUNT, names.looked_up(pseudonym)),
        )
        self.users = [
            person
            for person in User.objects.found_by(names.looked_up(pseudonym)).filter(is_active=True)
            if person.address
        ]
        return pseudonym

    def save(self, request: HttpRequest, **kwargs: object) -> str:
        for person in self.users:
            request_password_reset(request, person.address, [person], default_token_generator)
        return str(self.cleaned_data["email"])


class TokenForm(forms.Form):
    """What a new token may be used for, and how long. It offers only what the person's roles allow."""

    scopes = forms.MultipleChoiceField(
        label=_("What the token may be used for"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Tick at least one of these.")},
    )
    days = forms.TypedChoiceField(
        label=_("How long it works"),
        coerce=int,
        initial=TOKEN_DAYS,
    )

    def __init__(self, person: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        scopes, days = cast(Any, self.fields["scopes"]), cast(Any, self.fields["days"])
        scopes.choices = [(scope.value, scope.label) for scope in person.scopes()]
        scopes.initial = [Scope.TAG.value]
        days.choices = [
            (each, ngettext("%(count)d day", "%(count)d days", each) % {"count": each})
            for each in TOKEN_DAYS_OFFERED
        ]


class EmailForm(forms.Form):
    address = forms.EmailField(
        max_length=254,
        label=_("E-mail"),
        required=False,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        help_text=format_lazy("{} {}", ADDRESS_USED_FOR, _("Leave it empty to remove it.")),
    )


class ChangePasswordForm(AllauthChangePasswordForm):
    def clean_oldpassword(self) -> str:
        try:
            tried = password_tries.count_confirmation(self.user, timezone.now())
        except limits.LimitReached as reached:
            raise refused(reached) from reached
        password: str = super().clean_oldpassword()
        tried.take_back()
        return password

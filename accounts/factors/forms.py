from typing import Any

from allauth.core import context
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm as AllauthAuthenticateForm
from allauth.mfa.base.forms import ReauthenticateForm as AllauthReauthenticateForm
from allauth.mfa.totp.forms import ActivateTOTPForm as AllauthActivateForm
from allauth.mfa.totp.internal.auth import SECRET_SESSION_KEY, generate_totp_secret
from django.db import transaction

from accounts import ciphers
from accounts.models import User

from . import authenticators


class ActivateForm(AllauthActivateForm):
    """allauth keeps the secret in the session until it is confirmed, and sessions are in the database."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        secret: str = self.secret  # type: ignore[has-type]
        self.secret = _kept(self.user, secret) if self.is_bound else secret
        context.request.session[SECRET_SESSION_KEY] = _sealed(self.user, self.secret)

    def clean_code(self) -> str:
        code: str = super().clean_code()
        _use(lambda: authenticators.use_code_of_app(self.user.pk, code))
        return code


class _CodeOnce:
    """A code that is used is noted in the same transaction."""

    @transaction.atomic
    def clean_code(self) -> str:
        code: str = super().clean_code()  # type: ignore[misc]
        _use(lambda: authenticators.use_code(self.authenticator, code))  # type: ignore[attr-defined]
        return code


class AuthenticateForm(_CodeOnce, AllauthAuthenticateForm):
    """At log-in."""


class ReauthenticateForm(_CodeOnce, AllauthReauthenticateForm):
    """Of someone who is logged in."""


def _use(act: Any) -> None:
    try:
        act()
    except authenticators.FactorRefused:
        raise get_adapter().validation_error("incorrect_code") from None


def _sealed(person: User, secret: str) -> str:
    return ciphers.seal(person.data_key.open(), secret.encode(), _label(person)).hex()


def _kept(person: User, kept: str) -> str:
    """The secret that the session has sealed; a new one if it has none that opens."""
    try:
        return ciphers.unseal(person.data_key.open(), bytes.fromhex(kept), _label(person)).decode()
    except (ciphers.KeyLost, ValueError):
        return str(generate_totp_secret())


def _label(person: User) -> str:
    return f"secret being set up by {person.pk}"

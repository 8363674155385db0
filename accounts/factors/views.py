"""allauth's pages for factors. Whoever has a factor needs it to see or change them."""

from functools import wraps
from typing import Any

from allauth.core.exceptions import ReauthenticationRequired
from allauth.mfa.base.views import IndexView
from allauth.mfa.recovery_codes import views as codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as webauthn
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from accounts.pages_here import leads_here
from accounts.roles import View, open_without_factor

from . import authenticators

WANTED_FOR = "factor_wanted_for"  # in a session: the page that asked for a factor, to which its set-up leads


class Index(IndexView):
    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        page = request.GET.get("next", "")
        if page.startswith("/") and leads_here(request, page):
            request.session[WANTED_FOR] = page
        return super().get(request, *args, **kwargs)


class ActivateTOTP(totp.ActivateTOTPView):
    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        _added(self.request)
        return response


class AddPasskey(webauthn.AddWebAuthnView):
    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        _added(self.request)
        return response


class Removing:
    """A view whose form, when it is valid, removes a factor."""

    def form_valid(self, form: Any) -> HttpResponse:
        with authenticators.removing(self.request.user):  # type: ignore[attr-defined]
            return super().form_valid(form)  # type: ignore[misc]


class DeactivateTOTP(Removing, totp.DeactivateTOTPView):
    pass


class RemovePasskey(Removing, webauthn.RemoveWebAuthnView):
    pass


class GenerateRecoveryCodes(Removing, codes.GenerateRecoveryCodesView):
    """New codes take the place of the old ones, also for a session that was opened with an old one."""

    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        authenticators.prove(self.request, self.request.user.authenticator_set.get(type="recovery_codes"))
        return response


def _added(request: HttpRequest) -> None:
    if authenticators.added(request, request.user):  # type: ignore[arg-type]
        messages.info(
            request,
            _("Your other sessions and your tokens have ended, as they were made without a second factor."),
        )


def _guarded(view: View) -> View:
    """A stolen password and a session from before do not change or show factors."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        person = request.user
        if person.is_authenticated and person.has_factor and not person.has_proven_factor:
            raise ReauthenticationRequired
        return view(request, *args, **kwargs)

    return open_without_factor(never_cache(guarded))


index = open_without_factor(never_cache(Index.as_view()))
activate_totp = _guarded(ActivateTOTP.as_view())
deactivate_totp = _guarded(DeactivateTOTP.as_view())
recovery_codes = _guarded(codes.view_recovery_codes)
generate_recovery_codes = _guarded(GenerateRecoveryCodes.as_view())
download_recovery_codes = _guarded(codes.download_recovery_codes)
passkeys = _guarded(webauthn.list_webauthn)
add_passkey = _guarded(AddPasskey.as_view())
remove_passkey = _guarded(RemovePasskey.as_view())
rename_passkey = _guarded(webauthn.edit_webauthn)

"""Whoever has a powerful role, and no second factor in this session, sees one page: set it up."""

from collections.abc import Callable
from typing import Any

from allauth.account.authentication import get_authentication_records
from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware, get_user
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.functional import SimpleLazyObject
from rest_framework.views import APIView

from accounts.models import User
from accounts.roles import is_open_without_factor

# allauth's pages that one needs to confirm a factor, change a password or log out.
OPEN_PAGES = {
    "account_change_password",
    "account_login",
    "account_logout",
    "account_reauthenticate",
    "mfa_reauthenticate",
    "mfa_reauthenticate_webauthn",
}


class Authentication(AuthenticationMiddleware):
    """Django's, and the person knows which of their factors opened the session."""

    def process_request(self, request: HttpRequest) -> None:
        super().process_request(request)
        request.user = SimpleLazyObject(lambda: _person(request))  # type: ignore[assignment]


class FactorGuard:
    """Costs people without a powerful role no query."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, *_: Any) -> HttpResponse | None:
        if settings.SESSION_COOKIE_NAME not in request.COOKIES or _is_open(request, view):
            return None
        if request.user.is_authenticated and request.user.lacks_factor:
            return redirect("mfa_index")
        return None


def _is_open(request: HttpRequest, view: Any) -> bool:
    """Calls of programs have guards of their own, which answer in JSON: accounts.roles.HasRole."""
    name = request.resolver_match.url_name if request.resolver_match else None
    is_call = issubclass(getattr(view, "cls", object), APIView)
    return is_call or name in OPEN_PAGES or is_open_without_factor(view)


def _person(request: HttpRequest) -> User | AnonymousUser:
    person = get_user(request)
    if isinstance(person, User):
        records = get_authentication_records(request, person)
        person.session_factors = {each.get("id") for each in records if each.get("method") == "mfa"}
    return person

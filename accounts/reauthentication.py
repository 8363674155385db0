"""Ask for the password, or a second factor, again before what cannot be taken back.

Someone at an open session should not be able to erase its owner, or carry off their data. Who logged in, or
was asked, within ACCOUNT_REAUTHENTICATION_TIMEOUT is not asked. Answering carries nothing out: the person
comes back to the page with the form, with what they had chosen, and sends it again. Until then it is kept in
the session, sealed under their data key.
"""

from base64 import b64decode, b64encode
from collections.abc import Callable
from functools import wraps
from time import time
from typing import Any
from urllib.parse import urlencode

from allauth.account import app_settings
from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.reauthentication import is_reauthentication_required
from allauth.core.exceptions import ReauthenticationRequired
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from . import keys
from .ciphers import KeyLost
from .models import User

View = Callable[..., HttpResponseBase]

LOGGED_IN_AT = "logged_in_at"
KEPT_FORM = "kept_form"
MOST_KEPT = 4_000  # bytes


class AskAgain(ReauthenticationRequired):
    """Raised before anything is done. `page` names the page to come back to; empty for this address."""

    def __init__(self, page: str = "") -> None:
        self.page = page
        super().__init__()


def required(*methods: str, page: str = "") -> Callable[[View], View]:
    """A view that asks before it answers to these methods."""

    def guard(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.method in methods:
                check(request, page)
            return view(request, *args, **kwargs)

        return guarded

    return guard


def check(request: HttpRequest, page: str = "") -> None:
    """Raises AskAgain if the person has to be asked.

    Not if nothing could be asked: people without a password have no second factor either.
    """
    if is_reauthentication_required(request, app=""):
        raise AskAgain(page)


def has_just_logged_in(request: HttpRequest) -> bool:
    seconds = time() - request.session.get(LOGGED_IN_AT, 0)
    return 0 <= seconds < app_settings.REAUTHENTICATION_TIMEOUT


class Middleware:
    """Sends who must be asked to the page that asks."""

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, ReauthenticationRequired):
            return None
        name = exception.page if isinstance(exception, AskAgain) else ""
        page = reverse(name) if name else request.get_full_path()
        ways = get_adapter().get_reauthentication_methods(request.user)
        asks = ways[0]["url"] if ways else reverse(settings.LOGIN_URL)
        address = f"{asks}?{urlencode({REDIRECT_FIELD_NAME: page})}"
        if _is_for_a_program(request):
            detail = "Log in again, or confirm that it is you; then repeat this call."
            return JsonResponse({"detail": detail, "location": address}, status=403)
        if request.user.is_authenticated:
            _keep(request, page.partition("?")[0])
        return redirect(address)


def resumed(request: HttpRequest) -> QueryDict:
    """What was sent to this page before the person was asked, once; empty if they were not."""
    kept = request.session.get(KEPT_FORM)
    if not kept or kept["page"] != request.path:
        return QueryDict()
    del request.session[KEPT_FORM]
    try:
        fields = keys.unseal(_key(request), b64decode(kept["sealed"]), _label(request)).decode()
    except KeyLost:  # it was replaced in the meantime
        return QueryDict()
    if is_reauthentication_required(request, app=""):  # they came here by another way
        return QueryDict()
    messages.info(request, _("Thank you. Nothing has been done yet: check the page and confirm."))
    return QueryDict(fields)


def _keep(request: HttpRequest, page: str) -> None:
    """No password, and no more than a form of ours can have."""
    sent = request.POST.copy()
    for name in [name for name in sent if name == "csrfmiddlewaretoken" or "password" in name]:
        del sent[name]
    fields = sent.urlencode().encode()
    if len(fields) > MOST_KEPT:
        fields = b""
    sealed = keys.seal(_key(request), fields, _label(request))
    request.session[KEPT_FORM] = {"page": page, "sealed": b64encode(sealed).decode()}


def _is_for_a_program(request: HttpRequest) -> bool:
    accept = request.headers.get("Accept", "")
    return accept == "application/json" or (request.path.startswith("/api/") and "text/html" not in accept)


def _key(request: HttpRequest) -> bytes:
    assert isinstance(request.user, User)
    return keys.existing_key(request.user)


def _label(request: HttpRequest) -> str:
    return f"form of {request.user.pk}"

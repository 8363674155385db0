"""What somebody typed into a form outlives the end of their session: after logging in they see it again.

A form of this kind says, signed, whose it is. If it is posted after the session ended, its fields are kept in
the new session, sealed under that person's data key: no one else who logs in there can open them, and nothing
is sent before the person has seen it and pressed a button.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import resolve
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django.views.csrf import csrf_failure as refuse_forged

from . import keys
from .ciphers import KeyLost
from .models import User

View = Callable[..., HttpResponseBase]

TYPED_BY, FORGET = "typed_by", "forget_typed"
_KEPT = "typed"
_LASTS = timedelta(hours=1)
_FORM_LASTS = timedelta(days=2)
_MOST = 20_000  # bytes; the longest transcript has 2,000 characters
_NOT_KEPT = {"csrfmiddlewaretoken", TYPED_BY, FORGET}


def typed_by(request: HttpRequest) -> dict[str, Any]:
    """A context processor: whose forms these are, as a hidden field says it."""
    return {TYPED_BY: SimpleLazyObject(lambda: _signed(request))}


def keeps_typed(*shown: str) -> Callable[[View], View]:
    """A view with a form whose fields are kept, and shown if they have these names. The outermost guard."""

    def guard(view: View) -> View:
        @wraps(view)
        def kept(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.method == "POST":
                if not request.user.is_authenticated:
                    return _keep(request) or view(request, *args, **kwargs)
                was_kept = request.session.pop(_KEPT, None)
                if was_kept and FORGET in request.POST:
                    return redirect(request.path)
            elif fields := _kept_for(request):
                context = {"fields": fields, "shown": [v for n, v in fields if n in shown and v]}
                return render(request, "accounts/typed.html", context)
            return view(request, *args, **kwargs)

        kept.keeps_typed = True  # type: ignore[attr-defined]
        return kept

    return guard


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Someone logged in again in another window, so the form's token is outdated: show what it was.

    Only if the browser says that the form is this site's. Nothing of it is carried out.
    """
    is_ours = request.headers.get("Sec-Fetch-Site") == "same-origin"
    if is_ours and getattr(resolve(request.path_info).func, "keeps_typed", False):
        return _keep(request) or refuse_forged(request, reason=reason)
    return refuse_forged(request, reason=reason)


def _keep(request: HttpRequest) -> HttpResponse | None:
    """Keep what was sent, for the person whose form it is; None if it says of no one that it is theirs."""
    person = _owner(request)
    sent = [(name, values) for name, values in request.POST.lists() if _may_be_kept(name)]
    fields = [(name, value) for name, values in sent for value in values]
    plain = json.dumps(fields, ensure_ascii=False).encode(errors="replace")
    if person is None or len(plain) > _MOST:
        return None
    if request.user.is_authenticated and request.user.pk != person.pk:
        return None  # another person is logged in: the form's owner has to send it again
    try:
        sealed = keys.seal(keys.existing_key(person), plain, _label(person.pk, request.path))
    except KeyLost:
        return None
    if not request.user.is_authenticated:
        request.session.set_expiry(_LASTS)  # logging in sets another
    request.session[_KEPT] = {"sealed": b64encode(sealed).decode(), "at": timezone.now().isoformat()}
    if request.user.is_authenticated:
        return redirect(request.path)
    return redirect_to_login(request.path, settings.LOGIN_URL)


def _may_be_kept(name: str) -> bool:
    return name not in _NOT_KEPT and "password" not in name


def _kept_for(request: HttpRequest) -> list[tuple[str, str]]:
    """The fields that were kept for this person and this address."""
    if _KEPT not in request.session or not isinstance(request.user, User):
        return []
    kept = request.session[_KEPT]
    label = _label(request.user.pk, request.path)
    try:
        if datetime.fromisoformat(kept["at"]) < timezone.now() - _LASTS:
            raise KeyLost("too long ago")
        plain = keys.unseal(keys.existing_key(request.user), b64decode(kept["sealed"]), label)
    except KeyLost:  # another person's, another form's, or too old
        del request.session[_KEPT]
        return []
    return [(name, value) for name, value in json.loads(plain)]


def _owner(request: HttpRequest) -> User | None:
    try:
        number = signing.loads(request.POST.get(TYPED_BY, ""), salt=TYPED_BY, max_age=_FORM_LASTS)
    except signing.BadSignature:
        return None
    return User.objects.filter(pk=number, is_active=True).first()


def _signed(request: HttpRequest) -> str:
    return signing.dumps(request.user.pk, salt=TYPED_BY) if request.user.is_authenticated else ""


def _label(person: int, address: str) -> str:
    return f"typed by {person} at {address}"

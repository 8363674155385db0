"""Headers of every response, static files and errors too: who may embed, use and keep it."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from accounts.caching import uncached

# What pages could ask a browser for. None of them does, but for what `_USED_BY` lists.
_POWERS = (
    "accelerometer",
    "camera",
    "clipboard-read",
    "display-capture",
    "encrypted-media",
    "geolocation",
    "gyroscope",
    "hid",
    "idle-detection",
    "local-fonts",
    "magnetometer",
    "microphone",
    "midi",
    "payment",
    "publickey-credentials-create",
    "publickey-credentials-get",
    "screen-wake-lock",
    "serial",
    "usb",
    "xr-spatial-tracking",
)
# By the beginning of the page's name.
_USED_BY = {
    "microphone": ("record_campaign", "speak_freely"),
    "publickey-credentials-create": ("mfa_",),
    "publickey-credentials-get": ("account_", "mfa_"),
}
_SAFE = {"GET", "HEAD", "OPTIONS"}
# Those of a site that was without the prefix before. One that HTTPS protects accepts none of them.
_OLD_COOKIES = ("sessionid", "csrftoken", "messages", "django_language")


class SiteHeaders:
    """The first middleware, so that it sees what all others answer."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self._get_response(request)
        response["Cross-Origin-Resource-Policy"] = "same-origin"
        response["Permissions-Policy"] = _permissions(request)
        if _may_be_personal(request, response) and not _says_who_may_keep_it(response):
            uncached(response)
        if settings.COOKIE_PREFIX:
            for name in filter(request.COOKIES.__contains__, _OLD_COOKIES):
                response.delete_cookie(name)
        return response


def _permissions(request: HttpRequest) -> str:
    page = getattr(request.resolver_match, "url_name", "") or ""
    return ", ".join(
        f"{power}=(self)" if page.startswith(_USED_BY.get(power, ("-",))) else f"{power}=()"
        for power in _POWERS
    )


def _may_be_personal(request: HttpRequest, response: HttpResponseBase) -> bool:
    """Whether the request says who sent it, or is answered with what somebody typed.

    Decided without the session: reading it would need the database, also for a response that does not.
    """
    return (
        settings.SESSION_COOKIE_NAME in request.COOKIES
        or settings.SESSION_COOKIE_NAME in response.cookies
        or "Authorization" in request.headers
        or request.method not in _SAFE
    )


def _says_who_may_keep_it(response: HttpResponseBase) -> bool:
    """A document for everyone says `public`, as static files do; a view that forbids it has said enough."""
    told = response.get("Cache-Control", "")
    return "public" in told or "no-store" in told

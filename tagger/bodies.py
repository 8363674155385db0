"""What a stranger may send: how large a body is at which address, and requests that no one can read.

All of it is decided from the address and the headers, before a byte of the body is read.
"""

import codecs
import re
from collections.abc import Callable
from http import HTTPMethod

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts import views_receipts
from datasets.clips import device_api, views

from .imports import api as import_calls
from .imports import views as import_pages
from .refused_requests import TOO_LARGE, answer

# The doors with a limit of their own, in bytes. They refuse a larger body themselves, unread, in their own
# words. Every other address takes settings.DATA_UPLOAD_MAX_MEMORY_SIZE.
DOORS = {
    "/record/[^/]+/": views.MAX_FORM_BYTES,
    "/campaigns/[^/]+/import/[0-9]+/files/": import_pages.MAX_FORM_BYTES,
    "/api/v1/campaigns/[^/]+/imports/[0-9]+/parts/": import_calls.MAX_PARTS_BYTES,
    "/receipts/": views_receipts.MAX_BODY_BYTES,
    "/v1/device/[^/]+/(?:wake-word|utterance)-file": device_api.MAX_UPLOAD_BYTES,
    "/v1/.*": device_api.MAX_JSON_BYTES,
}
_DOORS = [(re.compile(address), limit) for address, limit in DOORS.items()]

GetResponse = Callable[[HttpRequest], HttpResponseBase]


class Unreadable(Exception):
    """A request that is refused with this status and this sentence."""

    def __init__(self, status: int, sentence: str | Promise) -> None:
        super().__init__(sentence)
        self.status = status


NO_LENGTH = _("The header Content-Length is missing: this site accepts no body of unknown length.")
BAD_LENGTH = _("The header Content-Length is not a number.")
UNKNOWN_METHOD = _("This site does not know that method.")
NUL_IN_ADDRESS = _("The address contains a NUL character.")
NOT_UTF8 = _("This site reads UTF-8 only, and the header Content-Type names another character set.")


def limit_of(address: str) -> int:
    """How many bytes a body may have at this address."""
    return _limit_of_door(address) or settings.DATA_UPLOAD_MAX_MEMORY_SIZE


def _limit_of_door(address: str) -> int | None:
    return next((limit for door, limit in _DOORS if door.fullmatch(address)), None)


class RefuseUnreadable:
    """The middleware: nothing after it meets a request that it cannot read."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        try:
            check(request)
        except Unreadable as refused:
            return answer(request, refused.status, str(refused))
        return self.get_response(request)


def check(request: HttpRequest) -> None:
    """Raises Unreadable. Reads the address and the headers, and nothing of the body."""
    if request.method not in HTTPMethod.__members__:
        raise Unreadable(400, UNKNOWN_METHOD)
    if "\0" in request.path or "%00" in request.META.get("QUERY_STRING", ""):
        raise Unreadable(400, NUL_IN_ADDRESS)
    _check_length(request)
    if (charset := (request.content_params or {}).get("charset")) and not _is_utf8(charset):
        raise Unreadable(400, NOT_UTF8)


def _check_length(request: HttpRequest) -> None:
    if "HTTP_TRANSFER_ENCODING" in request.META:
        raise Unreadable(411, NO_LENGTH)
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not (length.isascii() and length.isdecimal()):
        raise Unreadable(400, BAD_LENGTH)
    if _limit_of_door(request.path_info) is None and int(length) > limit_of(request.path_info):
        raise Unreadable(413, TOO_LARGE)


def _is_utf8(charset: str) -> bool:
    try:
        return codecs.lookup(charset).name == "utf-8"
    except LookupError:
        return False

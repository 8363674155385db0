"""Answers byte ranges (RFC 9110, section 14). Without them a browser's player cannot seek."""

import re

from django.http import HttpRequest, HttpResponse
from rest_framework.request import Request

from accounts.caching import uncached

# At most 18 digits, enough for any size: Python refuses to convert thousands of digits.
ONE_RANGE = re.compile(r"^bytes=(\d{0,18})-(\d{0,18})$")


def ranged(request: HttpRequest | Request, body: bytes, content_type: str) -> HttpResponse:
    """200 with the whole body, 206 with the requested range, or 416 when that is outside of the body."""
    bounds = requested(request, len(body))
    if bounds is None:
        return _answer(body, content_type, 200)
    first, last = bounds
    if first > last:
        unsatisfiable = _answer(b"", content_type, 416)
        unsatisfiable["Content-Range"] = f"bytes */{len(body)}"
        return unsatisfiable
    part = _answer(body[first : last + 1], content_type, 206)
    part["Content-Range"] = f"bytes {first}-{last}/{len(body)}"
    return part


def requested(request: HttpRequest | Request, size: int) -> tuple[int, int] | None:
    """The first and the last byte of the requested range; the last is before the first if it is outside.

    None for the whole body, which is also the answer to several ranges.
    """
    wanted = ONE_RANGE.match(request.headers.get("Range", ""))
    if not wanted or wanted.groups() == ("", ""):
        return None
    return _bounds(wanted[1], wanted[2], size)


def sound(request: HttpRequest | Request, wav: bytes) -> HttpResponse:
    """A clip's WAV: seekable, and stored by no cache."""
    return uncached(ranged(request, wav, "audio/wav"))


def _bounds(first: str, last: str, size: int) -> tuple[int, int]:
    if not first:  # the last N bytes
        return (size - min(int(last), size), size - 1)
    return int(first), min(int(last), size - 1) if last else size - 1


def _answer(body: bytes, content_type: str, status: int) -> HttpResponse:
    response = HttpResponse(body, content_type=content_type, status=status)
    response["Accept-Ranges"] = "bytes"
    response["Content-Length"] = str(len(body))
    return response

"""Answer a byte range (RFC 9110, section 14): without it a browser's player cannot seek."""

import re

from django.http import HttpRequest, HttpResponse
from rest_framework.request import Request

from accounts.caching import uncached

# No more digits than a number of bytes can have: Python refuses to read thousands of them.
ONE_RANGE = re.compile(r"^bytes=(\d{0,18})-(\d{0,18})$")


def ranged(request: HttpRequest | Request, body: bytes, content_type: str) -> HttpResponse:
    """200 with the whole body, 206 with the one range asked for, or 416 when it lies outside."""
    part_of_it = asked(request, len(body))
    if part_of_it is None:
        return _answer(body, content_type, 200)
    first, last = part_of_it
    if first > last:
        refused = _answer(b"", content_type, 416)
        refused["Content-Range"] = f"bytes */{len(body)}"
        return refused
    part = _answer(body[first : last + 1], content_type, 206)
    part["Content-Range"] = f"bytes {first}-{last}/{len(body)}"
    return part


def asked(request: HttpRequest | Request, size: int) -> tuple[int, int] | None:
    """The first and the last byte of the one range that is asked for, the last before the first where it lies
    outside; None for the whole, which answers several ranges as well."""
    wanted = ONE_RANGE.match(request.headers.get("Range", ""))
    if not wanted or wanted.groups() == ("", ""):
        return None
    return _bounds(wanted[1], wanted[2], size)


def sound(request: HttpRequest | Request, wav: bytes) -> HttpResponse:
    """A clip for one pair of ears: never kept by a cache, and seekable."""
    return uncached(ranged(request, wav, "audio/wav"))


def _bounds(first: str, last: str, size: int) -> tuple[int, int]:
    if not first:  # the last so many bytes
        return (size - min(int(last), size), size - 1)
    return int(first), min(int(last), size - 1) if last else size - 1


def _answer(body: bytes, content_type: str, status: int) -> HttpResponse:
    response = HttpResponse(body, content_type=content_type, status=status)
    response["Accept-Ranges"] = "bytes"
    response["Content-Length"] = str(len(body))
    return response

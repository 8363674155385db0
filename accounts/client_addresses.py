"""Whose request is it? The client's address, also behind the web servers that this site trusts.

Limits count by it (accounts.limits). It is never stored, logged, sent or put into a key as it is.

`X-Forwarded-For` has an address for each hop, the nearest last, and a client can begin it with anything. So
it is read from the right, and only as far as trusted web servers wrote it.
"""

import ipaddress
from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest
from django.http.response import HttpResponseBase

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# Whoever has one IPv6 address has 2^64 of them.
ONE_CLIENT = 64
# A request over a unix socket that names no client: all of them count as one.
UNKNOWN = "unknown"


def client(request: HttpRequest) -> str:
    """What limits count by: an IPv4 address, the /64 network of an IPv6 address, or 'unknown'."""
    address = _client(request)
    if address is None:
        return UNKNOWN
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, ONE_CLIENT), strict=False))
    return str(address)


def comes_from_trusted(request: HttpRequest) -> bool:
    """Whether the other end of the connection is a trusted web server; only one can reach a unix socket."""
    peer = request.META.get("REMOTE_ADDR", "")
    return not peer or _is_trusted(read(peer))


def only_trusted_protocol(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware: `X-Forwarded-Proto` counts only if a trusted web server sent it."""
    if not settings.TRUSTED_PROXIES:
        raise MiddlewareNotUsed

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if "HTTP_X_FORWARDED_PROTO" in request.META and not comes_from_trusted(request):
            del request.META["HTTP_X_FORWARDED_PROTO"]
        return get_response(request)

    return middleware


def read(text: str) -> Address | None:
    """The address, None for nonsense. Some web servers add the port.

    >>> [str(read(each)) for each in ("192.0.2.7:4711", "[2001:db8::7]:4711", "::ffff:192.0.2.7", "_hidden")]
    ['192.0.2.7', '2001:db8::7', '192.0.2.7', 'None']
    """
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _client(request: HttpRequest) -> Address | None:
    address = read(request.META.get("REMOTE_ADDR", ""))
    if not comes_from_trusted(request):
        return address
    for hop in reversed(request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")):
        further = read(hop)
        if further is None:  # what is left of it came from no one we know
            return address
        address = further
        if not _is_trusted(address):
            return address
    return address


def _is_trusted(address: Address | None) -> bool:
    return address is not None and any(address in network for network in settings.TRUSTED_PROXIES)

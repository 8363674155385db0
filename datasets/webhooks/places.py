"""Where a webhook's messages go: which addresses may be written, and which the site really connects to.

An owner must not make this server call into its own network. So the name is looked up once, all that was
found is checked, and the connection goes to what was checked, not to the name.
"""

import ipaddress
import re
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings
from django.http.request import validate_host

from datasets.models import Delivery

from .refusals import WebhookRefusal, WebhookRefused

LONGEST = 500
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
LOOPBACK = [ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128")]
# Through these, an IPv6 address leads to the IPv4 address in its last 32 bits.
TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")


class Unreachable(Exception):
    """No message can be sent there now; `fault` is one of Delivery.Fault."""

    def __init__(self, fault: Delivery.Fault) -> None:
        super().__init__(fault)
        self.fault = fault


@dataclass(frozen=True)
class Place:
    """An address of the web, taken apart."""

    is_https: bool
    host: str
    port: int
    path: str

    @property
    def is_allowed(self) -> bool:
        """By whoever runs this site."""
        return validate_host(self.host, settings.WEBHOOKS)


def are_on() -> bool:
    return bool(settings.WEBHOOKS)


def place(url: str) -> Place:
    """Raises WebhookRefused if it is no address, or one that this site never sends to."""
    if len(url) > LONGEST or re.search(r"[\x00-\x20\x7f\\]", url):
        raise WebhookRefused(WebhookRefusal.NO_ADDRESS)
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".").encode("idna").decode()
        port = parts.port
        path = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
        path.encode("ascii")
    except ValueError:
        raise WebhookRefused(WebhookRefusal.NO_ADDRESS) from None
    if parts.scheme not in {"http", "https"} or not host or parts.username or parts.password or port == 0:
        raise WebhookRefused(WebhookRefusal.NO_ADDRESS)
    is_https = parts.scheme == "https"
    if not is_https and not _is_loopback(host):
        raise WebhookRefused(WebhookRefusal.NOT_HTTPS)
    return Place(is_https, host, port or (443 if is_https else 80), path)


def allowed_place(url: str) -> Place:
    """Raises WebhookRefused also if whoever runs this site does not allow its host."""
    found = place(url)
    if not are_on():
        raise WebhookRefused(WebhookRefusal.OFF)
    if not found.is_allowed:
        raise WebhookRefused(WebhookRefusal.HOST_NOT_ALLOWED, host=found.host)
    return found


def look_up(there: Place) -> list[str]:
    """The IP addresses to connect to. Raises Unreachable unless the site may connect to every one of them."""
    if not there.is_allowed:
        raise Unreachable(Delivery.Fault.NOT_ALLOWED)
    try:
        found = socket.getaddrinfo(there.host, there.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Unreachable(Delivery.Fault.NOT_FOUND) from None
    addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
    if not addresses:
        raise Unreachable(Delivery.Fault.NOT_FOUND)
    if not all(may_connect(ipaddress.ip_address(each), there.is_https) for each in addresses):
        raise Unreachable(Delivery.Fault.NOT_PUBLIC)
    return addresses


def may_connect(address: Address, is_https: bool = True) -> bool:
    """Whether it is public, or in a network that whoever runs the site named; without TLS on this host only.

    >>> from ipaddress import ip_address
    >>> [may_connect(ip_address(each)) for each in ("93.184.215.14", "10.0.0.1", "::ffff:10.0.0.1")]
    [True, False, False]
    """
    address = _real(address)
    if not is_https and not any(address in network for network in LOOPBACK):
        return False
    if any(address in network for network in settings.WEBHOOK_NETWORKS):
        return True
    return address.is_global and not (address.is_multicast or address.is_reserved)


def _real(address: Address) -> Address:
    """The IPv4 address that an IPv6 address leads to, if it leads to one."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in TRANSLATED:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else address)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return any(address in network for network in LOOPBACK)

"""Send one message: to an address that was checked, over TLS that was verified, and for a limited time.

No redirect is followed, and of the answer only its status and the beginning of its text is read.
"""

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from datasets.models import Delivery

from . import places
from .places import Place, Unreachable

SECONDS = 15.0  # from the first byte to the last one of the answer; the standard advises 15 to 30
SECONDS_TO_CONNECT = 5.0  # to each address
MOST_ADDRESSES = 2
MOST_BYTES = 4_096  # of the answer
LONGEST_LINE = 120
Fault = Delivery.Fault


@dataclass(frozen=True)
class Answer:
    """`status` is None if there was none; then `fault` says why."""

    status: int | None = None
    fault: str = ""
    first_line: str = ""
    retry_after: str = ""
    milliseconds: int = 0

    @property
    def is_success(self) -> bool:
        return self.status is not None and 200 <= self.status <= 299


class _Connection(http.client.HTTPConnection):
    """To one of the addresses that the place was looked up to be, and to no other."""

    def __init__(self, there: Place, addresses: list[str]) -> None:
        self.default_port = 443 if there.is_https else 80  # what the header Host leaves out
        super().__init__(there.host, there.port, timeout=SECONDS_TO_CONNECT)
        self._there, self._addresses = there, addresses
        self._is_over = threading.Event()

    def connect(self) -> None:
        self.sock = self._plain()
        self.sock.settimeout(SECONDS)
        if self._there.is_https:
            context = ssl.create_default_context()
            self.sock = context.wrap_socket(
                self.sock, server_hostname=self.host, do_handshake_on_connect=False
            )
            self.sock.do_handshake()
        if self._is_over.is_set():
            raise TimeoutError

    def _plain(self) -> socket.socket:
        *first, last = self._addresses[:MOST_ADDRESSES]
        for address in first:
            with suppress(OSError):
                return self._to(address)
        return self._to(last)

    def _to(self, address: str) -> socket.socket:
        return socket.create_connection((address, self.port), SECONDS_TO_CONNECT)

    def end(self) -> None:
        """From another thread: a server that sends one byte now and then would hold this one for ever."""
        self._is_over.set()
        if self.sock:
            with suppress(OSError):  # not SSLSocket's own, which takes away what the other thread reads with
                socket.socket.shutdown(self.sock, socket.SHUT_RDWR)

    @property
    def is_over(self) -> bool:
        return self._is_over.is_set()


def post(url: str, headers: Mapping[str, str], body: str) -> Answer:
    """Raises nothing of what the other side or the network does."""
    began = time.monotonic()
    answer = _post(url, headers, body)
    return replace(answer, milliseconds=round(1_000 * (time.monotonic() - began)))


def _post(url: str, headers: Mapping[str, str], body: str) -> Answer:
    try:
        there = places.place(url)
        connection = _Connection(there, places.look_up(there))
    except places.WebhookRefused:
        return Answer(fault=Fault.NOT_ALLOWED)
    except Unreachable as refused:
        return Answer(fault=refused.fault)
    alarm = threading.Timer(SECONDS, connection.end)
    alarm.daemon = True
    alarm.start()
    try:
        answer = _exchange(connection, there.path, headers, body)
        # An answer that was cut off can look like a whole one.
        return Answer(fault=Fault.TOO_LATE) if connection.is_over else answer
    except ssl.SSLCertVerificationError:
        return Answer(fault=Fault.NO_TRUST)
    except (OSError, ValueError, http.client.HTTPException) as error:
        return Answer(fault=Fault.TOO_LATE if connection.is_over else _fault(error))
    finally:
        alarm.cancel()
        connection.close()


def _exchange(connection: _Connection, path: str, headers: Mapping[str, str], body: str) -> Answer:
    sent = {"Content-Type": "application/json", "User-Agent": "Tagger-Webhooks", "Connection": "close"}
    connection.request("POST", path, body=body.encode(), headers=sent | dict(headers))
    response = connection.getresponse()
    text = response.read(MOST_BYTES)
    return Answer(response.status, "", _first_line(text), response.headers.get("Retry-After", ""))


def _first_line(text: bytes) -> str:
    lines = text.decode(errors="replace").strip().splitlines()
    shown = "".join(each for each in lines[0] if each.isprintable()) if lines else ""
    return shown[:LONGEST_LINE]


def _fault(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return Fault.TOO_LATE
    is_http = isinstance(error, (http.client.HTTPException, ValueError))
    return Fault.NO_HTTP if is_http and not isinstance(error, OSError) else Fault.NO_CONNECTION

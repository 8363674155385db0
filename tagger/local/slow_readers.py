"""A connection that takes a response as slowly as its reader, and at most a few threads that wait for one."""

import errno
import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

MOST_UNSENT = 2**20  # a page or a clip; the thread that made it need not wait for its reader
SLOWEST = 8_000  # bytes a second: what a phone with 64 kbit/s sends or reads
PATIENCE = 30.0  # seconds besides, however slow a connection is


class SlowReaders:
    """Whoever reads a long response more slowly than it is made: at most so many, then the slowest is cut."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._waiting: list[BufferedSocket] = []
        self._lock = threading.Lock()

    def number(self) -> int:
        return len(self._waiting)

    @contextmanager
    def one_more(self, reader: "BufferedSocket") -> Iterator[None]:
        with self._lock:
            if len(self._waiting) >= self._most:
                slowest = min(self._waiting, key=BufferedSocket.speed)
                self._waiting.remove(slowest)
                slowest.cut()
            self._waiting.append(reader)
        try:
            yield
        finally:
            with self._lock, suppress(ValueError):  # ValueError: it was cut
                self._waiting.remove(reader)


class BufferedSocket:
    """A socket that never blocks a thread for a response of up to MOST_UNSENT bytes.

    What the peer has not taken stays in `unsent`, for the worker's main loop to send.
    """

    def __init__(self, sock: socket.socket, slow_readers: SlowReaders) -> None:
        self._sock = sock
        self._slow_readers = slow_readers
        self._taken = 0
        self._began = time.monotonic()
        self.unsent = bytearray()
        sock.setblocking(False)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)

    def setblocking(self, flag: bool) -> None:
        """It never blocks, whatever gunicorn asks for."""

    settimeout = setblocking

    def gettimeout(self) -> None:
        return None

    def begin(self) -> None:
        """A new request: how fast it is read is measured from now on."""
        self._taken, self._began = 0, time.monotonic()

    def speed(self) -> float:
        return self._taken / max(time.monotonic() - self._began, 0.001)

    def cut(self) -> None:
        with suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)

    def sendall(self, data: bytes) -> None:
        if not self.unsent:
            data = data[self._send(data) :]
        self.unsent += data
        if len(self.unsent) > MOST_UNSENT:
            with self._slow_readers.one_more(self):
                self._wait_for_reader()

    def send(self, data: bytes) -> int:
        self.sendall(data)
        return len(data)

    def flush(self) -> None:
        """Send what the peer takes at this moment."""
        while self.unsent and (sent := self._send(self.unsent)):
            del self.unsent[:sent]

    def recv(self, size: int) -> bytes:
        """Only of a body that is refused unread does anyone ask for more than the main loop has received."""
        if not _is_ready(self._sock, select.POLLIN, seconds=1.0):
            raise OSError(errno.ECONNRESET, "nothing more was sent")
        return self._sock.recv(size)

    def received_now(self) -> bytes | None:
        """What has arrived; None if nothing has, no bytes if the peer is gone."""
        try:
            return self._sock.recv(65_536)
        except BlockingIOError:
            return None
        except OSError:
            return b""

    def _send(self, data: bytes | bytearray) -> int:
        try:
            sent = self._sock.send(memoryview(data)[:MOST_UNSENT])
        except BlockingIOError:
            return 0
        self._taken += sent
        return sent

    def _wait_for_reader(self) -> None:
        deadline = time.monotonic() + PATIENCE + len(self.unsent) / SLOWEST
        while len(self.unsent) > MOST_UNSENT // 2:
            if not _is_ready(self._sock, select.POLLOUT, deadline - time.monotonic()):
                raise OSError(errno.EPIPE, "the response was not read")
            self.flush()


def _is_ready(sock: socket.socket, event: int, seconds: float) -> bool:
    ready = select.poll()
    ready.register(sock, event)
    return bool(ready.poll(max(seconds, 0) * 1000))

"""A worker of gunicorn that slow clients do not stop.

Its main loop, which waits for all connections at once, receives each request whole, in memory, before a
thread takes it, and sends what a reader has not taken after the thread has left. So a thread is in use only
while the site works, and for the few readers of responses that are longer than MOST_UNSENT.
"""

import errno
import resource
import selectors
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from gunicorn.workers.gthread import STOP_KEEPALIVE_LINGER, TConn, ThreadWorker

from .framing import Head, head_of, without_expect
from .slow_readers import PATIENCE, SLOWEST, BufferedSocket, SlowReaders

LINGER_SECONDS = (
    10.0  # in which the rest of a refused body is thrown away, so that its sender reads the refusal
)
MOST_HEAD = 2**16
MOST_HELD = 2**27  # bytes of requests and responses that wait here, of all connections together
FREE_THREADS = 4  # never used for readers of long responses
OPEN_FILES = 4096

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
REFUSED = "HTTP/1.1 {}\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n{}"
TOO_SLOW = "408 Request Timeout", "The request did not arrive in time."
HEAD_TOO_LARGE = "431 Request Header Fields Too Large", "The headers are too large."


class Connection(TConn):
    """What a client sent so far, and until when the main loop waits for more or for its reading."""

    def __init__(self, cfg: Any, sock: BufferedSocket, client: Any, server: Any) -> None:
        super().__init__(cfg, sock, client, server)
        self.received = bytearray()
        self.head: Head | None = None
        self.is_whole = True  # whether a thread has all of the request
        self.deadline = 0.0
        self.events = 0
        self.counted = 0  # of MOST_HELD
        self.data_ready = True
        self.init()


class BufferingWorker(ThreadWorker):
    """`waiting`: the connections that no thread has, those that have waited longest first."""

    head_seconds = 20.0  # for the request line and the headers
    body_patience = PATIENCE

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.waiting: dict[Connection, None] = {}
        self.slow_readers = SlowReaders(max(self.cfg.threads - FREE_THREADS, 1))
        self.held = 0
        self.next_sweep = 0.0

    def init_process(self) -> None:
        _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        most = OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, OPEN_FILES)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        super().init_process()

    # --- a connection's states: receiving, in a thread, sending, closing ---------------------------

    def accept(self, listener: Any) -> None:
        try:
            sock, client = listener.accept()
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.ENFILE):
                self._drop_longest()
            return
        self.nr_conns += 1
        buffered = BufferedSocket(sock, self.slow_readers)
        connection = Connection(self.cfg, buffered, client, listener.getsockname())
        self._await_request(connection, self.head_seconds)
        if self.nr_conns >= self.worker_connections:
            self._drop_longest()

    def _await_request(self, connection: Connection, seconds: float) -> None:
        connection.head = None
        self._wait(connection, selectors.EVENT_READ, self._receive, seconds)

    def _receive(self, connection: Connection) -> None:
        data = connection.sock.received_now()
        if data == b"":
            self._drop(connection)
        elif data is not None:
            if not connection.received:
                connection.deadline = time.monotonic() + self.head_seconds
            connection.received += data
            self._hold(connection, len(connection.received))
            if connection in self.waiting:
                self._continue(connection)

    def _continue(self, connection: Connection) -> None:
        if connection.head is None:
            self._read_head(connection)
        head = connection.head
        if head is None:
            if len(connection.received) > MOST_HEAD:
                self._refuse(connection, HEAD_TOO_LARGE)
        elif not self._is_accepted(head):
            self._hand_over(connection, is_whole=False)
        elif len(connection.received) >= head.size + (head.length or 0):
            self._hand_over(connection, is_whole=True)

    def _read_head(self, connection: Connection) -> None:
        head = head_of(connection.received)
        if head and head.awaits_continue:
            if self._is_accepted(head):
                connection.sock.sendall(CONTINUE)
            connection.received[:] = without_expect(connection.received, head)
            head = head_of(connection.received)
        if head:
            connection.deadline = time.monotonic() + self.body_patience + (head.length or 0) / SLOWEST
        connection.head = head

    def _is_accepted(self, head: Head) -> bool:
        """Whether the site would read such a body; if not, it refuses the request by its head."""
        limit_of: Callable[[str], int] = self.wsgi.limit_of
        return head.length is not None and head.length <= limit_of(head.address)

    def _hand_over(self, connection: Connection, *, is_whole: bool) -> None:
        self._forget(connection)
        connection.is_whole = is_whole
        connection.parser.unreader.unread(bytes(connection.received))
        connection.received.clear()
        connection.sock.begin()
        self.enqueue_req(connection)

    def finish_request(self, conn: Connection, fs: Any) -> None:
        keep = not fs.cancelled() and fs.exception() is None and bool(fs.result())
        if conn.sock.unsent:
            self._hold(conn, len(conn.sock.unsent))
            seconds = PATIENCE + len(conn.sock.unsent) / SLOWEST
            self._wait(conn, selectors.EVENT_WRITE, partial(self._send, keep=keep), seconds)
        else:
            self._answered(conn, keep)

    def _keepalive_after(self, conn: Connection, keepalive: bool) -> bool:
        """A body that was refused unread is still on its way: where the next request begins is unknown."""
        return conn.is_whole and super()._keepalive_after(conn, keepalive)

    def _send(self, connection: Connection, keep: bool) -> None:
        connection.sock.flush()
        if not connection.sock.unsent:
            self._forget(connection)
            self._answered(connection, keep)

    def _answered(self, connection: Connection, keep: bool) -> None:
        if not keep:
            self._close(connection)
            return
        connection.received += connection.parser.unreader.take_buffered()
        self._await_request(connection, self.cfg.keepalive if self.alive else STOP_KEEPALIVE_LINGER)
        if connection.received:  # the next request came with this one
            connection.deadline = time.monotonic() + self.head_seconds
            self._continue(connection)

    def _refuse(self, connection: Connection, why: tuple[str, str]) -> None:
        """Before the site has seen the request."""
        status, sentence = why
        connection.received.clear()
        with suppress(OSError):
            connection.sock.sendall(REFUSED.format(status, len(sentence), sentence).encode())
        self._forget(connection)
        self._close(connection)

    def _close(self, connection: Connection) -> None:
        """After a response: what still comes is thrown away, or its sender would lose the response."""
        with suppress(OSError):
            connection.sock.shutdown(socket.SHUT_WR)
        self._wait(connection, selectors.EVENT_READ, self._throw_away, LINGER_SECONDS)

    def _throw_away(self, connection: Connection) -> None:
        if connection.sock.received_now() == b"":
            self._drop(connection)

    # --- all that wait ------------------------------------------------------------------------------

    def _wait(
        self, connection: Connection, event: int, then: Callable[[Connection], None], seconds: float
    ) -> None:
        connection.deadline = time.monotonic() + seconds
        self.waiting[connection] = None
        self.poller.register(connection.sock, event, lambda _sock: self._happened(connection, then))

    def _happened(self, connection: Connection, then: Callable[[Connection], None]) -> None:
        if connection not in self.waiting:  # it was dropped since the poller reported it
            return
        try:
            then(connection)
        except OSError:  # the peer is gone
            self._drop(connection)

    def _forget(self, connection: Connection) -> None:
        """Wait no longer for it: a thread takes it, or it begins to wait for something else."""
        if connection in self.waiting:
            del self.waiting[connection]
            self.poller.unregister(connection.sock)
        self._hold(connection, 0)

    def _drop(self, connection: Connection) -> None:
        self._forget(connection)
        self.nr_conns -= 1
        connection.close()

    def _drop_longest(self) -> None:
        if self.waiting:
            self._drop(next(iter(self.waiting)))

    def _hold(self, connection: Connection, size: int) -> None:
        self.held += size - connection.counted
        connection.counted = size
        while self.held > MOST_HELD:
            longest = next((each for each in self.waiting if each.counted), None)
            if longest is None:
                break
            self._drop(longest)

    def murder_pending(self) -> None:
        """gunicorn calls it after each event; once a second is enough."""
        now = time.monotonic()
        if now < self.next_sweep:
            return
        self.next_sweep = now + 1
        for connection in [each for each in self.waiting if each.deadline < now]:
            if connection.received:
                self._refuse(connection, TOO_SLOW)
            else:
                self._drop(connection)

    def murder_keepalived(self, force: bool = False) -> None:
        """gunicorn calls it with `force` when the worker ends."""
        if force:
            for connection in list(self.waiting):
                self._drop(connection)

    def _cap_keepalive(self, deadline: float) -> None:
        """gunicorn calls it when the worker is about to end, and then gives all others time."""
        for connection in self.waiting:
            if not connection.sock.unsent:
                connection.deadline = min(connection.deadline, deadline)

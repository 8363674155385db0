"""Slow clients hold connections, not threads: a site with two threads answers others beside hundreds."""

import http.client
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress

import httpx
import pytest

from tagger.local import slow_readers
from tagger.local.framing import head_of, without_expect
from tagger.local.slow_readers import MOST_UNSENT, BufferedSocket, SlowReaders
from tests.support.mutants import mutant
from tests.support.site import ROOT, eventually

SLOW = 200
BEGUN_HEAD = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
BEGUN_BODY = b"POST /large HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\na=b"
SECONDS = 60  # more than a test takes, and less than anyone would wait


@contextmanager
def server(worker):
    """The port of gunicorn with two threads and the small application, which takes no time itself."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listening:
        command = [sys.executable, "-m", "gunicorn", "--bind", f"fd://{listening.fileno()}", "--threads", "2"]
        process = subprocess.Popen(
            [
                *command,
                "--worker-class",
                worker,
                "--no-control-socket",
                "tests.support.impatient:application",
            ],
            cwd=ROOT,
            pass_fds=[listening.fileno()],
        )
        try:
            yield listening.getsockname()[1]
        finally:
            process.terminate()
            process.wait(timeout=60)


@pytest.fixture(scope="module")
def port():
    with server("tagger.local.web_worker.BufferingWorker") as found:
        yield found


@pytest.fixture(scope="module")
def impatient():
    with server("tests.support.impatient.Impatient") as found:
        yield found


@contextmanager
def clients(port, number, sent):
    with ExitStack() as stack:
        found = [
            stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=SECONDS))
            for _ in range(number)
        ]
        for each in found:
            each.sendall(sent)
        yield found


def response(sock):
    answer = http.client.HTTPResponse(sock)
    answer.begin()
    return answer.status, answer.read()


@mutant(
    "slow bodies do not stop others",
    "tagger/local/web_worker.py",
    kept_by="        elif len(connection.received) >= head.size + (head.length or 0):\n",
    broken="        else:\n",
)
@mutant(
    "slow headers do not stop others",
    "tagger/local/web_worker.py",
    kept_by="            if len(connection.received) > MOST_HEAD:\n"
    "                self._refuse(connection, HEAD_TOO_LARGE)\n",
    broken="            self._hand_over(connection, is_whole=False)\n",
)
@mutant(
    "a connection that its client does not close stops no one",
    "tagger/local/web_worker.py",
    kept_by="        self._wait(connection, selectors.EVENT_READ, self._throw_away, LINGER_SECONDS)\n",
    broken="        TConn.close(connection, graceful=True)\n",
)
def test_hundreds_of_slow_clients_do_not_stop_others(port):
    closing = b"GET /send/1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    with (
        clients(port, SLOW, BEGUN_HEAD),
        clients(port, SLOW, BEGUN_BODY) as slow_bodies,
        clients(port, SLOW, closing),
    ):
        for _ in range(3):
            assert httpx.get(f"http://127.0.0.1:{port}/send/9", timeout=SECONDS).text == "x" * 9
        for each in slow_bodies[:10]:  # and none of them was forgotten
            each.sendall(b"c" * 997)
            assert response(each) == (200, b"1000 bytes")


def test_readers_of_pages_who_read_nothing_do_not_stop_others(port):
    with clients(port, 20, b"GET /send/900000 HTTP/1.1\r\nHost: localhost\r\n\r\n") as readers:
        assert httpx.get(f"http://127.0.0.1:{port}/send/9", timeout=SECONDS).text == "x" * 9
        assert all(response(reader) == (200, b"x" * 900_000) for reader in readers)


def test_a_long_response_comes_whole_through_small_reads(port):
    with clients(port, 1, b"GET /send/9000000 HTTP/1.1\r\nHost: localhost\r\n\r\n") as [reader]:
        assert response(reader) == (200, b"x" * 9_000_000)


@mutant(
    "a refused body is not received",
    "tagger/local/web_worker.py",
    kept_by="        elif not self._is_accepted(head):\n",
    broken="        elif head.length is None:\n",
)
def test_a_body_that_is_too_large_is_refused_by_its_head(port):
    begun = b"POST /unread HTTP/1.1\r\nHost: localhost\r\nContent-Length: 300000000\r\n\r\nbegun"
    with clients(port, 1, begun) as [client]:
        assert response(client) == (200, b"refused")
        client.sendall(b"x" * 5_000_000)  # it is thrown away, and no one is cut off while they send


def test_a_client_that_asks_first_sends_only_what_is_taken(port):
    asks = "POST {} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2000\r\nExpect: 100-continue\r\n\r\n"
    with clients(port, 1, asks.format("/large").encode()) as [client]:
        assert client.recv(25, socket.MSG_WAITALL) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"x" * 2_000)
        assert response(client) == (200, b"2000 bytes")
    with clients(port, 1, asks.format("/unread").encode()) as [client]:
        assert client.recv(12, socket.MSG_WAITALL) == b"HTTP/1.1 200"


def test_requests_that_come_together_are_answered_in_turn(port):
    one, two = (b"GET /send/%d HTTP/1.1\r\nHost: localhost\r\n\r\n" % size for size in (1, 2))
    with clients(port, 1, one + two[:20]) as [client]:
        assert response(client) == (200, b"x")
        client.sendall(two[20:])
        assert response(client) == (200, b"xx")


@pytest.mark.parametrize("begun", [BEGUN_HEAD, BEGUN_BODY], ids=["headers", "body"])
@mutant(
    "a request that does not arrive in time is ended",
    "tagger/local/web_worker.py",
    kept_by="for each in self.waiting if each.deadline < now]",
    broken="for each in self.waiting if False]",
)
def test_a_request_that_does_not_arrive_in_time_is_ended_with_408(impatient, begun):
    with clients(impatient, 1, begun.replace(b": 1000", b": 100")) as [client]:
        assert response(client) == (408, b"The request did not arrive in time.")


def test_headers_without_an_end_are_refused(port):
    with clients(port, 1, BEGUN_HEAD + b"x" * 70_000) as [client]:
        assert response(client)[0] == 431


# --- the parts ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "length"),
    [
        (b"", 0),
        (b"content-length:  12 \r\n", 12),
        (b"Content-Length: 12\r\nContent-Length: 13\r\n", None),
        (b"Content-Length: 12\r\nTransfer-Encoding: chunked\r\n", None),
        (b"Content-Length: +12\r\n", None),
        (b"Content-Length: " + b"9" * 5_000 + b"\r\n", None),
        (b"X: Content-Length: 12\r\n", 0),
    ],
)
def test_only_one_plain_length_is_believed(headers, length):
    assert head_of(b"GET /a%62c?d HTTP/1.1\r\n" + headers + b"\r\nrest").length == length


def test_an_answered_expectation_leaves_the_rest_of_a_request_as_it_was():
    request = b"POST / HTTP/1.1\r\nA: b\r\nExpect: 100-continue\r\nC: d\r\n\r\nExpect: e"
    assert without_expect(request, head_of(request)) == b"POST / HTTP/1.1\r\nA: b\r\nC: d\r\n\r\nExpect: e"


@mutant(
    "a slow reader of a page holds no thread",
    "tagger/local/slow_readers.py",
    kept_by="        if len(self.unsent) > MOST_UNSENT:\n",
    broken="        if self.unsent:\n",
)
def test_a_page_that_is_not_read_waits_without_its_thread(monkeypatch):
    monkeypatch.setattr(slow_readers, "PATIENCE", 0)
    monkeypatch.setattr(slow_readers, "SLOWEST", 1e12)
    with ExitStack() as stack:
        ours, theirs = (stack.enter_context(end) for end in socket.socketpair())
        buffered = BufferedSocket(ours, SlowReaders(most=1))
        buffered.sendall(b"x" * 900_000)
        assert buffered.unsent
        read = 0
        while buffered.unsent:
            read += len(theirs.recv(MOST_UNSENT))
            buffered.flush()
        while read < 900_000:
            read += len(theirs.recv(MOST_UNSENT))


@mutant(
    "slow readers of archives leave threads to others",
    "tagger/local/slow_readers.py",
    kept_by="            if len(self._waiting) >= self._most:\n",
    broken="            if False:\n",
)
def test_the_slowest_reader_of_a_long_response_is_cut_when_there_are_too_many():
    readers = SlowReaders(most=1)
    with ThreadPoolExecutor(2) as pool, ExitStack() as stack:
        ends = [stack.enter_context(end) for _ in range(2) for end in socket.socketpair()]
        idle, busy = (BufferedSocket(end, readers) for end in ends[::2])
        ended = pool.submit(idle.sendall, b"x" * 4 * MOST_UNSENT)
        assert eventually(lambda: readers.number() == 1)
        sent = pool.submit(busy.sendall, b"x" * 4 * MOST_UNSENT)
        with pytest.raises(BrokenPipeError):
            ended.result(SECONDS)
        while not sent.done():
            with suppress(BlockingIOError):
                ends[3].recv(MOST_UNSENT, socket.MSG_DONTWAIT)
        assert sent.result() is None and len(busy.unsent) <= MOST_UNSENT

"""Volunteers over HTTP who never pause: one process, one kept-alive connection each.

Run as `python -m bench.load.drive PLAN.json`. It uses only sockets and a selector, because the client
shares the machine with what it measures. PLAN is a `Plan`; a `Responses` is written to its `output`.
"""

import json
import random
import selectors
import socket
import sys
import time
from collections import Counter
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

BATCH_SIZE = 10
# Mostly the same answer, so that most tasks settle at their second answer, as on a real site.
ANSWERS = ["yes"] * 17 + ["no", "similar", "noise"]


@dataclass(frozen=True)
class Plan:
    """`until` is a time of the monotonic clock; with `rounds`, each person stops after this many."""

    port: int
    kind: str  # tag: lend and hand in; bare: select and insert
    people: list[dict[str, Any]]  # pk, token, cookie
    output: str
    until: float | None = None
    rounds: int | None = None
    slug: str = ""
    tasks: int = 0  # bare views are requested for tasks 1 to this


@dataclass
class Responses:
    """`requests`: for each kind, [end, seconds] of every request that succeeded. `answers`: those that the
    site acknowledged, as [annotation, assignment, person, answer]."""

    requests: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    answers: list[tuple[int, int, int, str]] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    ran_dry: int = 0


@dataclass(frozen=True)
class Reply:
    status: int
    body: bytes


Steps = Generator[tuple[str, bytes], Reply, None]


class PersonsConnection:
    """One person's connection."""

    def __init__(self, port: int, steps: Steps) -> None:
        self.port, self.steps = port, steps
        self.socket = self._connect()
        self.received = b""
        self._send(*next(steps))

    def advance(self, responses: Responses, is_over: bool) -> bool:
        """Reads what arrived; returns whether this person has another request to make."""
        piece = self.socket.recv(65536)
        if not piece:
            raise ConnectionError(f"the site closed the connection during: {self.kind}")
        self.received += piece
        if (complete := _parsed(self.received)) is None:
            return True
        reply, closes = complete
        now = time.monotonic()
        if reply.status < 300:
            responses.requests.setdefault(self.kind, []).append((now, now - self.sent_at))
        else:
            responses.refused[f"{self.kind}: {reply.status}"] += 1
        if closes:
            self.socket.close()
            self.socket = self._connect()
        try:
            step = self.steps.send(reply)
        except StopIteration:
            return False
        if is_over:
            return False
        self._send(*step)
        return True

    def _send(self, kind: str, request: bytes) -> None:
        self.kind, self.received, self.sent_at = kind, b"", time.monotonic()
        self.socket.sendall(request)

    def _connect(self) -> socket.socket:
        made = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made


def _parsed(received: bytes) -> tuple[Reply, bool] | None:
    """The reply when it is complete, and whether the server closes the connection after it."""
    head, found, body = received.partition(b"\r\n\r\n")
    if not found:
        return None
    lines = head.lower().split(b"\r\n")
    fields = dict(line.split(b": ", 1) for line in lines[1:])
    if len(body) < int(fields[b"content-length"]):
        return None
    return Reply(int(lines[0].split(b" ", 2)[1]), body), fields.get(b"connection") == b"close"


def drive(plan: Plan) -> Responses:
    responses = Responses()
    script = {"tag": _tagging, "bare": _bare}[plan.kind]
    waiting = selectors.DefaultSelector()
    for person in plan.people:
        connection = PersonsConnection(plan.port, script(plan, person, responses))
        waiting.register(connection.socket, selectors.EVENT_READ, connection)
    while waiting.get_map():
        for key, _ in waiting.select():
            waiting.unregister(key.fileobj)  # a new connection has another socket
            is_over = plan.until is not None and time.monotonic() >= plan.until
            if key.data.advance(responses, is_over):
                waiting.register(key.data.socket, selectors.EVENT_READ, key.data)
            else:
                key.data.socket.close()
    return responses


def _tagging(plan: Plan, person: dict[str, Any], responses: Responses) -> Steps:
    """Borrow ten, answer each, repeat."""
    dice = random.Random(person["pk"])
    headers = f"Authorization: Token {person['token']}\r\n"
    borrow = _post(f"/api/v1/campaigns/{plan.slug}/assignments/", headers, {"count": BATCH_SIZE})
    rounds = 0
    while plan.rounds is None or rounds < plan.rounds:
        rounds += 1
        reply = yield "lend", borrow
        lent = json.loads(reply.body)["assignments"] if reply.status == 201 else []
        if reply.status == 201 and not lent:
            responses.ran_dry += 1
            return
        for pk in [each["id"] for each in lent]:
            answer = dice.choice(ANSWERS)
            reply = yield (
                "hand in",
                _post(f"/api/v1/assignments/{pk}/annotation/", headers, {"answer": answer}),
            )
            if reply.status == 201:
                responses.answers.append((json.loads(reply.body)["id"], pk, person["pk"], answer))


def _bare(plan: Plan, person: dict[str, Any], responses: Responses) -> Steps:
    """One select, one insert, repeat; no task twice, because the database would refuse a second answer."""
    headers = f"Cookie: sessionid={person['cookie']}\r\n"
    for task in range(1, plan.tasks + 1):
        for kind, method in (("select", "GET"), ("insert", "POST")):
            yield kind, _request(method, f"/{kind}/{task}/", headers, b"")
    responses.ran_dry += 1


def _post(path: str, headers: str, content: dict[str, Any]) -> bytes:
    return _request(
        "POST", path, f"{headers}Content-Type: application/json\r\n", json.dumps(content).encode()
    )


def _request(method: str, path: str, headers: str, body: bytes) -> bytes:
    length = f"Content-Length: {len(body)}\r\n" if method == "POST" else ""
    return f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{headers}{length}\r\n".encode() + body


if __name__ == "__main__":
    plan = Plan(**json.loads(Path(sys.argv[1]).read_text()))
    Path(plan.output).write_text(json.dumps(vars(drive(plan))))

"""HTTP over connections that break: a missing reply is None, and the outcome of the call is unknown."""

import http.client
import json
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

SECONDS_TO_ANSWER = 20


@dataclass(frozen=True)
class Reply:
    status: int
    body: bytes
    location: str
    asked_at: float
    replied_at: float

    def json(self) -> Any:
        return json.loads(self.body)


class Connection:
    """One connection, reopened after it breaks."""

    def __init__(self, port: int, headers: Mapping[str, str]) -> None:
        self.headers = headers
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS_TO_ANSWER)
        self._asked_at = 0.0

    def ask(self, method: str, path: str, body: bytes | None = None) -> Reply | None:
        return self.receive() if self.send(method, path, body) else None

    def send(self, method: str, path: str, body: bytes | None = None) -> bool:
        self._asked_at = time.monotonic()
        try:
            self._connection.request(method, path, body, dict(self.headers))
        except (OSError, http.client.HTTPException):
            self.hang_up()
            return False
        return True

    def send_half(self, method: str, path: str, body: bytes) -> None:
        """Announces more bytes than are sent."""
        with suppress(OSError, http.client.HTTPException):
            self._connection.putrequest(method, path)
            for name, value in {**self.headers, "Content-Length": str(len(body))}.items():
                self._connection.putheader(name, value)
            self._connection.endheaders(body[: len(body) // 2])
        self.hang_up()

    def receive(self) -> Reply | None:
        try:
            response = self._connection.getresponse()
            body = response.read()
        except (OSError, http.client.HTTPException):
            self.hang_up()
            return None
        location = response.getheader("Location") or ""
        return Reply(response.status, body, location, self._asked_at, time.monotonic())

    def hang_up(self) -> None:
        self._connection.close()


def with_token(token: str, port: int) -> dict[str, str]:
    return {
        "Host": f"localhost:{port}",
        "Authorization": f"Token {token}",
        "Content-Type": "application/json",
    }


def with_session(session: str, port: int) -> dict[str, str]:
    """As a logged-in browser sends it. Any 32 letters will do as CSRF token."""
    token = "f" * 32
    return {
        "Host": f"localhost:{port}",
        "Cookie": f"sessionid={session}; csrftoken={token}",
        "X-CSRFToken": token,
        "Content-Type": "application/x-www-form-urlencoded",
    }

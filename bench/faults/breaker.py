"""Breaks the parts of a running site in turn, in an order that a seed decides."""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress

import psycopg2
import redis

from .clients import Disconnects
from .diary import Diary
from .site import SiteUnderFaults

# A part gets time to come back before it is broken again; a worker needs a few seconds.
SECONDS_BETWEEN = 4
SECONDS_TO_COME_BACK = 60
BROKER_DOWN = 0.7  # seconds
HANGING_UP = 0.4  # seconds

Fault = Callable[[], bool]  # returns whether there was anything to break


class Breaker:
    """`next()` causes one fault; `done` counts them by kind."""

    def __init__(self, site: SiteUnderFaults, diary: Diary, disconnects: Disconnects, seed: int) -> None:
        self.site, self.diary, self.disconnects = site, diary, disconnects
        self.chance = random.Random(seed)
        self.done: Counter[str] = Counter()
        self._broken_at: dict[str, float] = {}
        self.kinds: dict[str, tuple[str, Fault]] = {
            "kill a web worker": ("web", self._kill_web_worker),
            "kill the web server": ("web", lambda: self._kill("web", signal.SIGKILL)),
            "kill the worker": ("worker", lambda: self._kill("worker", signal.SIGKILL)),
            "kill beat": ("beat", lambda: self._kill("beat", signal.SIGKILL)),
            "kill the database": ("database", lambda: self._stop_database(signal.SIGKILL)),
            "stop the database hard": ("database", lambda: self._stop_database(signal.SIGQUIT)),
            "cut the database's connections": ("database", self._cut_connections),
            "empty and kill the broker": ("broker", self._kill_broker),
            "clients hang up": ("clients", self._hang_up),
        }
        self._decks = self.decks()
        self._current: list[str] = []

    def next(self) -> str:
        """Break the next part that can be broken now; returns the kind of fault."""
        give_up = time.monotonic() + SECONDS_TO_COME_BACK
        while time.monotonic() < give_up:
            for kind in self._remaining():
                part, fault = self.kinds[kind]
                if (
                    time.monotonic() - self._broken_at.get(part, -SECONDS_BETWEEN) >= SECONDS_BETWEEN
                    and fault()
                ):
                    self._broken_at[part] = time.monotonic()
                    self._current.remove(kind)
                    self.done[kind] += 1
                    return kind
            time.sleep(0.05)
        raise TimeoutError(self.site.report(f"no part came back that could be broken: {self._current}"))

    def _remaining(self) -> list[str]:
        """The kinds left of the current round. Each round has every kind once, in random order."""
        if not self._current:
            self._current = next(self._decks)
        return list(self._current)

    def decks(self) -> Iterator[list[str]]:
        while True:
            yield self.chance.sample(sorted(self.kinds), len(self.kinds))

    def _kill(self, name: str, number: signal.Signals) -> bool:
        pid = self.site.pid(name)
        return pid is not None and _signalled(pid, number)

    def _kill_web_worker(self) -> bool:
        workers = self.site.web_workers()
        return bool(workers) and _signalled(self.chance.choice(workers), signal.SIGKILL)

    def _stop_database(self, number: signal.Signals) -> bool:
        """Waits until it answers again: the launcher restarts it, and it replays its journal."""
        since, pid = time.monotonic(), self.site.pid("postgres")
        if pid is None or not _signalled(pid, number):
            return False
        # A server that is shutting down may still accept a connection.
        while self.site.pid("postgres") == pid or not database_answers(self.site):
            time.sleep(0.02)
        self.diary.database_down.append((since, time.monotonic()))
        return True

    def _cut_connections(self) -> bool:
        since = time.monotonic()
        try:
            connection = psycopg2.connect(self.site.servers["DATABASE_URL"])
        except psycopg2.OperationalError:
            return False
        with connection, connection.cursor() as cursor:
            cursor.execute(
                # Wait up to 5,000 ms for each to end, so that its end falls into the time that is recorded.
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
            )
        connection.close()
        self.diary.database_down.append((since, time.monotonic()))
        return True

    def last(self, stop: Callable[[], None]) -> None:
        """Kills the broker, which comes back only after all clients have stopped, so that none retries."""
        give_up = time.monotonic() + SECONDS_TO_COME_BACK
        while not self._kill_broker(stop):
            if time.monotonic() > give_up:
                raise TimeoutError(self.site.report("the broker did not come back"))
            time.sleep(0.05)

    def _kill_broker(self, while_down: Callable[[], None] = lambda: None) -> bool:
        """It stays down for a moment, during which answers must be accepted as usual."""
        pid = self.site.pid("valkey")
        if pid is None:
            return False
        with suppress(redis.RedisError), redis.Redis.from_url(self.site.servers["REDIS_URL"]) as broker:
            broker.flushall()
        with self.site.without_restarts():
            killed = _signalled(pid, signal.SIGKILL)
            time.sleep(BROKER_DOWN)
            while_down()
        return killed

    def _hang_up(self) -> bool:
        self.disconnects.until = time.monotonic() + HANGING_UP
        return True


def database_answers(site: SiteUnderFaults) -> bool:
    try:
        psycopg2.connect(site.servers["DATABASE_URL"]).close()
    except psycopg2.OperationalError:
        return False
    return True


def _signalled(pid: int, number: signal.Signals) -> bool:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True

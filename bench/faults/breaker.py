"""Breaks one part of a running site after another, in an order that a seed decides."""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress

import psycopg2
import redis

from .clients import Weather
from .diary import Diary
from .site import SiteUnderFaults

# What was hit is left to come back before it is hit again; a worker needs a few seconds for that.
SECONDS_BETWEEN = 4
SECONDS_TO_COME_BACK = 60
BROKER_AWAY = 0.7
STORM = 0.4

Fault = Callable[[], bool]  # whether there was anything to break


class Breaker:
    """`next()` does one fault; `done` counts them by kind."""

    def __init__(self, site: SiteUnderFaults, diary: Diary, weather: Weather, seed: int) -> None:
        self.site, self.diary, self.weather = site, diary, weather
        self.chance = random.Random(seed)
        self.done: Counter[str] = Counter()
        self._hit_at: dict[str, float] = {}
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
        self._deck = self.decks()
        self._current: list[str] = []

    def next(self) -> str:
        """Break what is next and can be broken now; its kind."""
        give_up = time.monotonic() + SECONDS_TO_COME_BACK
        while time.monotonic() < give_up:
            for kind in self._hand():
                part, fault = self.kinds[kind]
                if time.monotonic() - self._hit_at.get(part, -SECONDS_BETWEEN) >= SECONDS_BETWEEN and fault():
                    self._hit_at[part] = time.monotonic()
                    self._current.remove(kind)
                    self.done[kind] += 1
                    return kind
            time.sleep(0.05)
        raise TimeoutError(self.site.report(f"nothing came back that could be broken: {self._current}"))

    def _hand(self) -> list[str]:
        """Every kind once, in random order, before any comes again."""
        if not self._current:
            self._current = next(self._deck)
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
        """Until it answers again: the launcher starts it anew, and it replays its journal."""
        since, pid = time.monotonic(), self.site.pid("postgres")
        if pid is None or not _signalled(pid, number):
            return False
        # A server that was told to end may still take a connection.
        while self.site.pid("postgres") == pid or not database_answers(self.site):
            time.sleep(0.02)
        self.diary.database_away.append((since, time.monotonic()))
        return True

    def _cut_connections(self) -> bool:
        since = time.monotonic()
        try:
            connection = psycopg2.connect(self.site.servers["DATABASE_URL"])
        except psycopg2.OperationalError:
            return False
        with connection, connection.cursor() as cursor:
            cursor.execute(
                # With so many ms to end: a connection that is cut a moment later is cut by us too.
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
            )
        connection.close()
        self.diary.database_away.append((since, time.monotonic()))
        return True

    def last(self, stop: Callable[[], None]) -> None:
        """The broker goes, and comes back only when everybody has stopped: nobody is left who asks again."""
        give_up = time.monotonic() + SECONDS_TO_COME_BACK
        while not self._kill_broker(stop):
            if time.monotonic() > give_up:
                raise TimeoutError(self.site.report("the broker did not come back"))
            time.sleep(0.05)

    def _kill_broker(self, meanwhile: Callable[[], None] = lambda: None) -> bool:
        """It stays away for a moment, in which answers must be taken as ever."""
        pid = self.site.pid("valkey")
        if pid is None:
            return False
        with suppress(redis.RedisError), redis.Redis.from_url(self.site.servers["REDIS_URL"]) as broker:
            broker.flushall()
        with self.site.nothing_started_anew():
            killed = _signalled(pid, signal.SIGKILL)
            time.sleep(BROKER_AWAY)
            meanwhile()
        return killed

    def _hang_up(self) -> bool:
        self.weather.stormy_until = time.monotonic() + STORM
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

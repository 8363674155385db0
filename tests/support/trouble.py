"""What a site has to bear in a test: someone who looks at everything all the time, and faults at random."""

import hashlib
import os
import random
import signal
import time
from collections import Counter
from contextlib import closing, suppress
from threading import Event, Lock, Thread
from typing import NamedTuple

import httpx
import psycopg2

from tagger.local import addresses

MAX_KILLS = 3  # of one process: at the fifth within a minute the launcher gives up, and a test may add one
SECONDS_TO_COME_BACK = 4


class Background(Thread):
    """Runs `turn` again and again within `with`, and raises there what went wrong in it."""

    def __init__(self):
        super().__init__(daemon=True)
        self.stopping, self.failure = Event(), None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *error):
        self.stop()

    def stop(self):
        self.stopping.set()
        self.join()
        if self.failure:
            raise self.failure

    def run(self):
        try:
            while not self.stopping.wait(self.pause()):
                self.turn()
        except Exception as failure:  # noqa: BLE001  (it is raised by `stop`)
            self.failure = failure


class Chaos(Background):
    """Kills a worker, or cuts a connection to the database, at moments that a seed decides.

    `calm` is held by those who must not be hit for a moment; `done` counts the faults.
    """

    def __init__(self, site, seed):
        super().__init__()
        self.site, self.chance = site, random.Random(seed)
        self.calm, self.done, self.killed_at, self.deck = Lock(), Counter(), {}, []

    def pause(self):
        return self.chance.uniform(0.2, 1.0)

    def turn(self):
        if not self.deck:
            self.deck = self.chance.sample(["worker", "eraser", "connection", "connection"], 4)
        what = self.deck.pop()
        with self.calm:
            self.done[what] += self.cut() if what == "connection" else self.kill(what)

    def kill(self, name):
        """Not again before it has come back, which takes seconds."""
        since = time.monotonic() - self.killed_at.get(name, -SECONDS_TO_COME_BACK)
        if self.done[name] == MAX_KILLS or since < SECONDS_TO_COME_BACK:
            return False
        with suppress(OSError, KeyError):  # it is not back yet
            os.kill(self.site.children()[name], signal.SIGKILL)
            self.killed_at[name] = time.monotonic()
            return True
        return False

    def cut(self):
        """End one connection, whosever it is and whatever it does."""
        with closing(psycopg2.connect(addresses.find(self.site.home)["DATABASE_URL"])) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'"
                    " AND datname = current_database() AND pid <> pg_backend_pid() ORDER BY pid"
                )
                if pids := cursor.fetchall():
                    cursor.execute("SELECT pg_terminate_backend(%s)", self.chance.choice(pids))
        return bool(pids)


class Look(NamedTuple):
    """One answer. Times are of the monotonic clock; `found` names the canaries in it."""

    address: str
    began: float
    status: int
    found: frozenset
    digest: bytes


class Attacker(Background):
    """Asks for every address in turn, all the time, and keeps what each answer held."""

    def __init__(self, scanner):
        super().__init__()
        self.scanner, self.watched, self.looks = scanner, [], []

    def watch(self, client, *paths):
        self.watched += [(client, path) for path in paths]

    def pause(self):
        return 0.1

    def turn(self):
        for client, path in list(self.watched):
            began = time.monotonic()
            with suppress(httpx.TransportError):  # the site is in trouble
                answer = client.get(path)
                names = frozenset(name for name, _how in self.scanner.needles.find(answer.content))
                digest = hashlib.sha256(answer.content).digest()
                self.looks.append(Look(path, began, answer.status_code, names, digest))

    def of(self, path, since, until=float("inf")):
        return [each for each in self.looks if each.address == path and since <= each.began < until]


def insist(act, seconds=60):
    """What a person does whose page failed: the same again."""
    ends = time.monotonic() + seconds
    while True:
        try:
            return act()
        except (AssertionError, LookupError, TypeError, ValueError, httpx.HTTPError):
            if time.monotonic() > ends:
                raise
            time.sleep(0.1)

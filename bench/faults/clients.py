"""Volunteers who behave as real ones do: two tabs each, double clicks, answers long after the lease expired.

An answer whose outcome is unknown is sent again, for the same assignment, until the outcome is known.
"""

import json
import random
import time
from dataclasses import dataclass
from threading import Event, Thread
from typing import Any

from .diary import Answered, Diary, Failed, Heard, clip_of
from .wire import Connection, Reply, with_token

LABELS = ("yes", "similar", "no", "noise")
CAMPAIGNS = ("few", "few", "many", "many", "words")
SECONDS_TO_LEARN = 40  # how long a client asks for the outcome of an answer
AFTER_ITS_LEASE = 8  # seconds
TICK = 0.25  # seconds; requests for the campaign `few` are made together, at multiples of this


@dataclass(frozen=True)
class Lent:
    assignment: int
    clip: int
    campaign: str
    lent_at: float

    @property
    def path(self) -> str:
        return f"/api/v1/assignments/{self.assignment}/"


class Disconnects:
    """Until when clients hang up during their calls. Set by the breaker."""

    def __init__(self) -> None:
        self.until = 0.0

    def are_on(self) -> bool:
        return time.monotonic() < self.until


class Tab:
    """One of a volunteer's tabs: borrows, listens and answers, over two connections."""

    def __init__(
        self, volunteer: dict[str, Any], port: int, diary: Diary, disconnects: Disconnects, seed: str
    ) -> None:
        self.me = int(volunteer["id"])
        self.diary, self.disconnects = diary, disconnects
        self.chance = random.Random(seed)
        headers = with_token(volunteer["token"], port)
        self.connection, self.other_connection = Connection(port, headers), Connection(port, headers)
        self.postponed: list[Lent] = []  # answered after their lease has expired
        self.seen: list[Lent] = []
        self.is_shut_out = False

    def work_until(self, stop: Event) -> None:
        while not stop.is_set() and not self.is_shut_out:
            if not self._one_set():
                stop.wait(0.1)
            self._answer_late()
            if self.seen and self.chance.random() < 0.3:
                self._listen(self.chance.choice(self.seen))

    def listen_again(self, clips: set[int]) -> None:
        """To those of these clips that this tab has borrowed."""
        for lent in self.seen:
            if lent.clip in clips:
                self._listen(lent)

    def _one_set(self) -> int:
        campaign = self.chance.choice(CAMPAIGNS)
        body = json.dumps({"count": self.chance.choice((1, 1, 2, 4))}).encode()
        path = f"/api/v1/campaigns/{campaign}/assignments/"
        if campaign == "few":
            time.sleep(-time.monotonic() % TICK)
        found = 0
        for reply in self._send(path, body, twice=self.chance.random() < 0.3):
            self._note("lend", 0, reply)
            if reply.status == 201:
                for each in reply.json()["assignments"]:
                    found += 1
                    self._do(Lent(each["id"], clip_of(each["duration"]), campaign, reply.replied_at))
        return found

    def _do(self, lent: Lent) -> None:
        self.seen.append(lent)
        what = self.chance.random()
        if what < 0.12:
            self.postponed.append(lent)
        elif what < 0.15:
            self._send(f"{lent.path}skip/", b"{}")
        else:
            if what > 0.8:
                self._listen(lent)
            self._answer(lent)

    def _answer_late(self) -> None:
        due = [lent for lent in self.postponed if time.monotonic() - lent.lent_at > AFTER_ITS_LEASE]
        for lent in due[:3]:
            self.postponed.remove(lent)
            self._answer(lent)

    def _answer(self, lent: Lent) -> None:
        answer = opinion(self.me, lent)
        is_stored = self._hand_in(lent, answer, twice=self.chance.random() < 0.3)
        if is_stored and lent.campaign != "words" and self.chance.random() < 0.05:
            self._hand_in(lent, LABELS[LABELS.index(answer) - 1], twice=False)  # another answer is refused

    def _hand_in(self, lent: Lent, answer: str, *, twice: bool) -> bool:
        """Sends it until the outcome is known; returns whether it was stored."""
        word = "transcript" if lent.campaign == "words" else "answer"
        body = json.dumps({word: answer}).encode()
        give_up = time.monotonic() + SECONDS_TO_LEARN
        while time.monotonic() < give_up:
            replies = self._send(f"{lent.path}annotation/", body, twice=twice)
            for reply in replies:
                self._note("hand in", lent.clip, reply)
                if reply.status in (200, 201):
                    stored = Answered(self.me, lent.clip, answer, reply.json()["id"], reply.replied_at)
                    self.diary.answered.append(stored)
            if any(reply.status < 500 for reply in replies):
                return any(reply.status in (200, 201) for reply in replies)
            time.sleep(0.1 + 0.2 * self.chance.random())
        self.diary.unknown.append(lent.clip)
        return False

    def _listen(self, lent: Lent) -> None:
        reply = self.connection.ask("GET", f"{lent.path}audio/")
        if reply is not None:
            self.diary.heard.append(Heard(lent.clip, reply.status, reply.asked_at))
            self._note("listen", lent.clip, reply)

    def _send(self, path: str, body: bytes, *, twice: bool = False) -> list[Reply]:
        """The replies that arrived. Twice: over two connections at the same moment."""
        if self.disconnects.are_on():
            self._hang_up(path, body)
            return []
        connections = [self.connection, self.other_connection] if twice else [self.connection]
        sent = [each for each in connections if each.send("POST", path, body)]
        return [reply for each in sent if (reply := each.receive()) is not None]

    def _hang_up(self, path: str, body: bytes) -> None:
        if self.chance.random() < 0.5:
            self.connection.send_half("POST", path, body)
        elif self.connection.send("POST", path, body):
            time.sleep(0.05 * self.chance.random())  # the site may have stored it, or not
            self.connection.hang_up()
        self.diary.hung_up.append(time.monotonic())

    def _note(self, call: str, clip: int, reply: Reply) -> None:
        if reply.status < 300:
            self.diary.worked_at = reply.replied_at
        if reply.status == 401:
            self.is_shut_out = True
        elif reply.status in (404, 410) or reply.status >= 500:
            failed = Failed(call, self.me, clip, reply.status, reply.asked_at, reply.replied_at)
            self.diary.failed.append(failed)


def opinion(annotator: int, lent: Lent) -> str:
    """All give the same answer to a clip, but each gives another one to one clip in ten."""
    differs = (annotator * 7 + lent.clip) % 10 == 0
    if lent.campaign == "words":
        return f"word {lent.clip % 7} of {'nothing' if differs else 'the sentence'}"
    return LABELS[(lent.clip + differs) % len(LABELS)]


class Volunteers:
    """All tabs of all volunteers, working between `start` and `stop`."""

    def __init__(self, tabs: list[Tab]) -> None:
        self.tabs = tabs
        self._threads: list[Thread] = []
        self._stop = Event()

    def start(self) -> None:
        self._stop = Event()
        self._threads = [Thread(target=tab.work_until, args=(self._stop,)) for tab in self.tabs]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Returns when the outcome of every answer is known."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def listen_again(self, clips: set[int]) -> None:
        for tab in self.tabs:
            tab.listen_again(clips)

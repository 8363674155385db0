"""Volunteers as nasty as real ones: two tabs each, double clicks, answers long after the lease ran out.

And as good: an answer whose outcome is not known is sent again, for the same assignment, until it is.
"""

import json
import random
import time
from dataclasses import dataclass
from threading import Event, Thread
from typing import Any

from .diary import Answered, Diary, Heard, Missed, clip_of
from .wire import Line, Reply, with_token

LABELS = ("yes", "similar", "no", "noise")
CAMPAIGNS = ("few", "few", "many", "many", "words")
SECONDS_TO_LEARN = 40  # until nobody asks any more what became of an answer
AFTER_ITS_LEASE = 8  # seconds
TICK = 0.25  # seconds, at which all who ask for the few tasks do it at one instant


@dataclass(frozen=True)
class Lent:
    assignment: int
    clip: int
    campaign: str
    lent_at: float

    @property
    def path(self) -> str:
        return f"/api/v1/assignments/{self.assignment}/"


class Weather:
    """Until when clients hang up in the middle of whatever they ask. Set by the breaker."""

    def __init__(self) -> None:
        self.stormy_until = 0.0

    def is_stormy(self) -> bool:
        return time.monotonic() < self.stormy_until


class Tab:
    """One of a volunteer's tabs: borrows, hears, answers, over two connections."""

    def __init__(
        self, volunteer: dict[str, Any], port: int, diary: Diary, weather: Weather, seed: str
    ) -> None:
        self.me = int(volunteer["id"])
        self.diary, self.weather = diary, weather
        self.chance = random.Random(seed)
        headers = with_token(volunteer["token"], port)
        self.line, self.other_line = Line(port, headers), Line(port, headers)
        self.kept: list[Lent] = []  # to be answered long after
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
        """To everything of these that was ever borrowed here."""
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
                for told in reply.json()["assignments"]:
                    found += 1
                    self._do(Lent(told["id"], clip_of(told["duration"]), campaign, reply.told_at))
        return found

    def _do(self, lent: Lent) -> None:
        self.seen.append(lent)
        what = self.chance.random()
        if what < 0.12:
            self.kept.append(lent)
        elif what < 0.15:
            self._send(f"{lent.path}skip/", b"{}")
        else:
            if what > 0.8:
                self._listen(lent)
            self._answer(lent)

    def _answer_late(self) -> None:
        due = [lent for lent in self.kept if time.monotonic() - lent.lent_at > AFTER_ITS_LEASE]
        for lent in due[:3]:
            self.kept.remove(lent)
            self._answer(lent)

    def _answer(self, lent: Lent) -> None:
        answer = opinion(self.me, lent)
        is_held = self._hand_in(lent, answer, twice=self.chance.random() < 0.3)
        if is_held and lent.campaign != "words" and self.chance.random() < 0.05:
            self._hand_in(lent, LABELS[LABELS.index(answer) - 1], twice=False)  # a change of mind is refused

    def _hand_in(self, lent: Lent, answer: str, *, twice: bool) -> bool:
        """Until it is known what became of it; whether it is held."""
        word = "transcript" if lent.campaign == "words" else "answer"
        body = json.dumps({word: answer}).encode()
        give_up = time.monotonic() + SECONDS_TO_LEARN
        while time.monotonic() < give_up:
            replies = self._send(f"{lent.path}annotation/", body, twice=twice)
            for reply in replies:
                self._note("hand in", lent.clip, reply)
                if reply.status in (200, 201):
                    held = Answered(self.me, lent.clip, answer, reply.json()["id"], reply.told_at)
                    self.diary.answered.append(held)
            if any(reply.status < 500 for reply in replies):
                return any(reply.status in (200, 201) for reply in replies)
            time.sleep(0.1 + 0.2 * self.chance.random())
        self.diary.unknown.append(lent.clip)
        return False

    def _listen(self, lent: Lent) -> None:
        reply = self.line.ask("GET", f"{lent.path}audio/")
        if reply is not None:
            self.diary.heard.append(Heard(lent.clip, reply.status, reply.asked_at))
            self._note("listen", lent.clip, reply)

    def _send(self, path: str, body: bytes, *, twice: bool = False) -> list[Reply]:
        """What was answered; nothing where nobody knows. Twice: over two connections at the same instant."""
        if self.weather.is_stormy():
            self._hang_up(path, body)
            return []
        lines = [self.line, self.other_line] if twice else [self.line]
        asked = [line for line in lines if line.send("POST", path, body)]
        return [reply for line in asked if (reply := line.receive()) is not None]

    def _hang_up(self, path: str, body: bytes) -> None:
        if self.chance.random() < 0.5:
            self.line.send_half("POST", path, body)
        elif self.line.send("POST", path, body):
            time.sleep(0.05 * self.chance.random())  # it may have been taken, and it may not
            self.line.hang_up()
        self.diary.hung_up.append(time.monotonic())

    def _note(self, call: str, clip: int, reply: Reply) -> None:
        if reply.status < 300:
            self.diary.worked_at = reply.told_at
        if reply.status == 401:
            self.is_shut_out = True
        elif reply.status in (404, 410) or reply.status >= 500:
            missed = Missed(call, self.me, clip, reply.status, reply.asked_at, reply.told_at)
            self.diary.missed.append(missed)


def opinion(annotator: int, lent: Lent) -> str:
    """Everybody says the same of a clip, but each says something else of one clip in ten."""
    differs = (annotator * 7 + lent.clip) % 10 == 0
    if lent.campaign == "words":
        return f"word {lent.clip % 7} of {'nothing' if differs else 'the sentence'}"
    return LABELS[(lent.clip + differs) % len(LABELS)]


class Crowd:
    """All tabs of all volunteers, at work between `start` and `stop`."""

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
        """When every answer's fate is known."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def listen_again(self, clips: set[int]) -> None:
        for tab in self.tabs:
            tab.listen_again(clips)

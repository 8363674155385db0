"""What happens while volunteers work: clips are imported, and people withdraw theirs."""

import csv
import random
import re
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count, islice
from pathlib import Path
from threading import Event, Thread
from typing import Any

from . import sounds
from .diary import Diary, Heard, OptOut
from .site import SiteUnderFaults
from .wire import Connection, Reply, with_session

SECONDS_TO_LEARN = 60
SUMMARY = re.compile(r"(\d+) added, (\d+) held already, (\d+) refused")
BATCH_SIZE = 8
LEAVING = 4  # volunteers
COLLECTION = "collection"


class Background:
    """A thread that does acts in turn while the volunteers work."""

    def __init__(self, acts: Iterator[Callable[[], None]], pause: float) -> None:
        self._acts, self._pause = acts, pause
        self._stop = Event()
        self._thread = Thread()

    def start(self) -> None:
        self._stop = Event()
        self._thread = Thread(target=self._work, args=(self._stop,))
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def _work(self, stop: Event) -> None:
        while not stop.wait(self._pause) and (act := next(self._acts, None)):
            act()


def until_known(ask: Callable[[], bool]) -> bool:
    """Ask until it is known to be done; returns whether it is."""
    give_up = time.monotonic() + SECONDS_TO_LEARN
    while not (done := ask()) and time.monotonic() < give_up:
        time.sleep(0.2)
    return done


class Importer:
    """Imports batches by `manage.py import_clips`, each run again until it succeeds."""

    def __init__(self, site: SiteUnderFaults, folder: Path, lengths: Iterator[int], diary: Diary) -> None:
        self.site, self.folder, self.lengths, self.diary = site, folder, lengths, diary
        self.done: list[tuple[str, frozenset[int]]] = []  # speakers whose clips are all stored

    def acts(self) -> Iterator[Callable[[], None]]:
        for number in count():
            yield partial(self._bring, number, list(islice(self.lengths, BATCH_SIZE)))

    def _bring(self, number: int, batch: list[int]) -> None:
        speakers = [f"speaker {number} {half}" for half in ("a", "b")]
        manifest = self._write(number, batch, speakers)
        campaign = ("few", "many")[number % 2]
        if until_known(lambda: self._run(manifest, campaign, len(batch))):
            self.diary.imported += batch
            self.done.append((speakers[0], frozenset(batch[0::2])))

    def _write(self, number: int, batch: list[int], speakers: list[str]) -> Path:
        manifest = self.folder / f"batch-{number}.csv"
        with manifest.open("w", newline="") as file:
            table = csv.writer(file)
            table.writerow(["path", "speaker"])
            for position, length in enumerate(batch):
                (self.folder / f"{length}.wav").write_bytes(sounds.wav(length))
                table.writerow([f"{length}.wav", speakers[position % 2]])
        return manifest

    def _run(self, manifest: Path, campaign: str, clips: int) -> bool:
        done = self.site.manage(
            *("import_clips", manifest, "--campaign", campaign, "--contributor", COLLECTION),
            *("--consent-reference", "fault test", "--licence", "CC0-1.0"),
            check=False,
        )
        summary = SUMMARY.search(done.stdout)
        if done.returncode or summary is None:
            return False
        added, existing, refused = map(int, summary.groups())
        if refused or added + existing != clips:
            self.diary.refused_imports.append(done.stdout)
        return True


class Leavers:
    """People who withdraw a clip, all clips or their consent, or who leave, until the site confirms it."""

    def __init__(
        self, site: SiteUnderFaults, cast: dict[str, Any], importer: Importer, diary: Diary, seed: int
    ) -> None:
        self.site, self.importer, self.diary = site, importer, diary
        self.chance = random.Random(seed)
        self.speakers = list(cast["speakers"])
        self.volunteers = cast["volunteers"][-LEAVING:]

    def acts(self) -> Iterator[Callable[[], None]]:
        """One for each speaker. Every third time, a volunteer leaves too, while there are any."""
        ways = [self.one_clip, self.all_clips, self.consent, self.account]
        for number, speaker in enumerate(self.speakers):
            yield partial(ways[number % len(ways)], speaker)
            if number % 3 == 0 and self.volunteers:
                yield partial(self.leave, self.volunteers.pop(), ("remove", "keep")[len(self.volunteers) % 2])
            if number % 3 == 1:
                yield self.imported

    def one_clip(self, speaker: dict[str, Any]) -> None:
        length, row = self.chance.choice(sorted(speaker["clips"].items()))
        self._take_back(speaker, "one clip", f"/my-clips/{row}/delete/", {length: row})

    def all_clips(self, speaker: dict[str, Any]) -> None:
        self._take_back(speaker, "all clips", "/my-clips/delete-all/", speaker["clips"])

    def consent(self, speaker: dict[str, Any]) -> None:
        self._take_back(speaker, "consent", "/profile/consent/withdraw/", speaker["clips"])

    def account(self, speaker: dict[str, Any]) -> None:
        self._take_back(speaker, "account", "/leave/", speaker["clips"], b"answers=keep")

    def leave(self, volunteer: dict[str, Any], answers: str) -> None:
        self.diary.leavers[int(volunteer["id"])] = answers
        self._take_back(
            volunteer, f"account, {answers} answers", "/leave/", {}, f"answers={answers}".encode()
        )

    def imported(self) -> None:
        """Erase an imported speaker, who has no log-in. Does nothing before the first import."""
        if not self.importer.done:
            return
        speaker, clips = self.importer.done.pop(0)
        self.diary.asked_to_forget.update(clips)
        code = f"from bench.faults import cast; cast.forget({COLLECTION!r}, {speaker!r})"
        command = ("shell", "--no-imports", "-c", code)
        if until_known(lambda: "forgotten" in self.site.manage(*command, check=False).stdout):
            self.diary.opted_out.append(OptOut("imported", clips, time.monotonic()))

    def _take_back(
        self, who: dict[str, Any], way: str, path: str, clips: dict[str, int], body: bytes = b""
    ) -> None:
        lengths = frozenset(map(int, clips))
        self.diary.asked_to_forget.update(lengths)
        connection = Connection(self.site.port, with_session(who["session"], self.site.port))
        confirmed: list[Reply] = []

        def ask() -> bool:
            reply = connection.ask("POST", path, body)
            confirmed.extend([reply] if reply and is_done(reply, way) else [])
            return bool(confirmed)

        until_known(ask)
        replied_at = confirmed[0].replied_at if confirmed else None
        is_receipt = confirmed and confirmed[0].location.startswith("/receipts/")
        receipt = confirmed[0].location if is_receipt else ""
        self.diary.opted_out.append(OptOut(way, lengths, replied_at, receipt))
        if confirmed:
            self._listen(connection, clips)

    def _listen(self, connection: Connection, clips: dict[str, int]) -> None:
        """Not even its contributor may hear a withdrawn clip."""
        for length, row in clips.items():
            if reply := connection.ask("GET", f"/my-clips/{row}/audio/"):
                self.diary.heard.append(Heard(int(length), reply.status, reply.asked_at))


def is_done(reply: Reply, way: str) -> bool:
    """Confirmed immediately; or, when asked again, the clip or the account does not exist any more."""
    if reply.status == 302 and reply.location.startswith(("/receipts/", "/profile/consent/")):
        return True
    if way == "one clip":
        return reply.status == 404
    return way.startswith("account") and reply.status == 302


def receipt_status(port: int, address: str) -> int:
    """200 for a finished erasure, 202 for one under way; 0 without a reply."""
    reply = Connection(port, {"Host": f"localhost:{port}"}).ask("GET", f"{address}receipt.json")
    return reply.status if reply else 0

"""One run: a site, a crowd, faults, then a while alone, then the checker."""

import json
import re
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import psycopg2

from . import checker, people
from .breaker import Breaker
from .checker import Finding, Held, Kind
from .clients import Crowd, Tab, Weather
from .diary import Diary
from .site import SiteUnderFaults

VOLUNTEERS, TABS, SPEAKERS = 12, 2, 16
A_FEW = 10
SECONDS_TO_COME_BACK = 60
# What the broker lost is swept within seconds, by a worker that may have to start first on a busy machine.
SECONDS_TO_SETTLE = 40
SECONDS_TO_FORGET = 120  # a scrub that the broker lost is found by a clock that strikes each minute
TOLD = 20  # findings of each kind
RECONCILED_AFTER = 62  # seconds: younger files may belong to an upload under way


@dataclass
class Outcome:
    seed: int
    faults: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)
    first_red: int | None = None  # after so many faults
    settled_after: float | None = None  # seconds since the site was left alone
    forgotten_after: float | None = None
    diary: Diary = field(default_factory=Diary)

    def found(self, kind: Kind) -> int:
        return sum(finding.kind is kind for finding in self.findings)


def run(faults: int, seed: int, until: Kind | None = None, logs: Path | None = None) -> Outcome:
    """So many faults, one each second, then the check.

    With `until` the check comes after every few faults, and the first finding of that kind is the end. What
    the site's parts said is copied to `logs`.
    """
    with (
        tempfile.TemporaryDirectory(prefix="tagger-faults-") as folder,
        SiteUnderFaults(Path(folder) / "home", LEASE_SECONDS="5") as site,
    ):
        try:
            trial = Trial(site, Path(folder), faults, seed, until)
            while (left := faults - sum(trial.outcome.faults.values())) and not trial.is_red():
                trial.one_round(min(A_FEW, left) if until else left)
            return trial.outcome
        finally:
            if logs:
                shutil.copytree(site.home / "log", logs, dirs_exist_ok=True)


class Trial:
    """A site with everybody around it, over one or more rounds of faults."""

    def __init__(
        self, site: SiteUnderFaults, folder: Path, faults: int, seed: int, until: Kind | None
    ) -> None:
        self.site, self.until = site, until
        self.outcome = Outcome(seed)
        self.diary = self.outcome.diary
        cast = _cast(site, clips=20 + 2 * faults)
        weather = Weather()
        self.breaker = Breaker(site, self.diary, weather, seed)
        self.outcome.faults = self.breaker.done
        self.crowd = Crowd(
            [
                Tab(volunteer, site.port, self.diary, weather, f"{seed} {place} {tab}")
                for place, volunteer in enumerate(cast["volunteers"])
                for tab in range(TABS)
            ]
        )
        importer = people.Importer(site, folder, count(cast["next"]), self.diary)
        leavers = people.Leavers(site, cast, importer, self.diary, seed)
        self.beside = [people.Beside(importer.acts(), 1.0), people.Beside(leavers.acts(), 1.5)]
        self.began = time.monotonic()

    def one_round(self, faults: int) -> None:
        with self._everybody_at_work():
            for _ in range(faults):
                due = time.monotonic() + 1
                self._say(self.breaker.next())
                self._look()
                if self.until and self.outcome.first_red:
                    break
                self._wait_until_it_works(time.monotonic())
                time.sleep(max(0.0, due - time.monotonic()))
        self._wait_until_quiet()
        self.crowd.listen_again(set(self.diary.forgotten()))
        self.outcome.findings = _dismissed(self.site, checker.check(self.diary, self._held()))
        self.outcome.findings += self._by_the_site_itself()
        self._date(self.outcome.findings)

    def is_red(self) -> bool:
        return any(self._counts(finding) for finding in self.outcome.findings)

    @contextmanager
    def _everybody_at_work(self) -> Iterator[None]:
        self.crowd.start()
        for beside in self.beside:
            beside.start()
        try:
            yield
        finally:
            for beside in self.beside:
                beside.stop()
            self.breaker.last(self.crowd.stop)

    def _wait_until_it_works(self, since: float) -> None:
        """A fault each second, but only of a site that is at work: there is little to break in a dead one."""
        while self.diary.worked_at < since:
            if time.monotonic() - since > SECONDS_TO_COME_BACK:
                raise TimeoutError(self.site.report(f"nothing was done for {SECONDS_TO_COME_BACK} s"))
            time.sleep(0.02)

    def _look(self) -> None:
        """What must hold at any moment is looked at after every fault, to tell which one broke it."""
        with suppress(psycopg2.OperationalError):  # it may be away
            self._date([*checker.at_any_moment(self._held()), *checker.refusals(self.diary)])

    def _date(self, findings: list[Finding]) -> None:
        if self.outcome.first_red is None and any(map(self._counts, findings)):
            self.outcome.first_red = sum(self.outcome.faults.values())

    def _counts(self, finding: Finding) -> bool:
        return self.until in (None, finding.kind)

    def _wait_until_quiet(self) -> None:
        """Each answer counted; then each erasure through, and what that left to count counted again."""
        self.outcome.settled_after = self._seconds_until(_is_settled, SECONDS_TO_SETTLE)
        self.outcome.forgotten_after = self._seconds_until(
            lambda held: not held.erasures_under_way, SECONDS_TO_FORGET
        )
        self._seconds_until(_is_settled, SECONDS_TO_SETTLE)

    def _seconds_until(self, holds: Callable[[Held], bool], most: float) -> float | None:
        began = time.monotonic()
        while (passed := time.monotonic() - began) < most:
            with suppress(psycopg2.OperationalError):
                if holds(self._held()):
                    return passed
            time.sleep(0.1)
        return None

    def _held(self) -> Held:
        return checker.read(self.site.servers["DATABASE_URL"], self.site.home / "vault")

    def _by_the_site_itself(self) -> Iterator[Finding]:
        """Every label again from its certificate; and every receipt says that the erasure is through."""
        done = self.site.manage("recompute", check=False)
        if done.returncode:
            yield Finding(Kind.WRONG, f"recompute: {done.stderr.strip()[-2000:]}")
        for out in self.diary.opted_out:
            if out.told_at is None:
                yield Finding(Kind.NOT_FORGOTTEN, f"an opt-out ({out.way}) was never acknowledged")
            elif out.receipt and (status := people.receipt_status(self.site.port, out.receipt)) != 200:
                yield Finding(Kind.NOT_FORGOTTEN, f"the receipt of an opt-out ({out.way}) answers {status}")

    def _say(self, kind: str) -> None:
        number = sum(self.outcome.faults.values())
        at, answers = time.monotonic() - self.began, len(self.diary.answered)
        print(f"{at:6.1f} s  fault {number:3}  {kind:31} {answers:6} answers acknowledged", flush=True)


def _is_settled(held: Held) -> bool:
    return not any(task.is_dirty for task in held.tasks)


def _cast(site: SiteUnderFaults, clips: int) -> dict[str, Any]:
    code = f"from bench.faults import cast; cast.make({VOLUNTEERS}, {SPEAKERS}, {clips})"
    made = site.manage("shell", "--no-imports", "-c", code)
    told: dict[str, Any] = json.loads(made.stdout.splitlines()[-1])
    return told


def _dismissed(site: SiteUnderFaults, findings: list[Finding]) -> list[Finding]:
    """A file without a row is no fault if the site's own look reports it: whoever runs it is told."""
    loose = [one for one in findings if one.kind is Kind.ORPHANED and one.what.startswith("file ")]
    if not loose:
        return findings
    time.sleep(RECONCILED_AFTER)
    said = site.manage("reconcile", check=False).stdout
    reported = sum(int(number) for number in re.findall(r"(\d+) (?:files that no|drafts of)", said))
    return [one for one in findings if one not in loose[:reported]]


def tell(outcome: Outcome) -> None:
    diary = outcome.diary
    print(f"\n{'faults':52}{sum(outcome.faults.values()):8}")
    for fault, number in sorted(outcome.faults.items()):
        print(f"  {fault:50}{number:8}")
    figures = {
        "answers acknowledged": len({(one.annotator, one.clip) for one in diary.answered}),
        "acknowledgements, repeated ones too": len(diary.answered),
        "calls that clients hung up on": len(diary.hung_up),
        "calls answered with 5xx while the database was away": sum(one.status >= 500 for one in diary.missed),
        "answers whose fate nobody learned": len(diary.unknown),
        "clips imported": len(diary.imported),
        "people or clips taken back": len(diary.opted_out),
        "sounds asked for": len(diary.heard),
        "seconds without the database": round(sum(end - start for start, end in diary.database_away)),
        **{kind.value: outcome.found(kind) for kind in Kind},
    }
    for what, number in figures.items():
        print(f"{what:52}{number:8}")
    times = {"settled": outcome.settled_after, "forgotten": outcome.forgotten_after}
    for what, seconds in times.items():
        print(f"{f'seconds until all was {what}':52}{'never' if seconds is None else f'{seconds:.1f}':>8}")
    for kind in Kind:
        for finding in [one for one in outcome.findings if one.kind is kind][:TOLD]:
            print(f"{kind}: {finding.what}")
    told = {"seed": outcome.seed, "faults": dict(outcome.faults), "first_red": outcome.first_red}
    print(json.dumps(told | figures | {f"{what}_after": seconds for what, seconds in times.items()}))
    sys.stdout.flush()

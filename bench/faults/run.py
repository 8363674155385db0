"""One run: a site, volunteers, faults, a while without either, then the checker."""

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

from tests.support.quotas import NO_QUOTAS

from . import checker, people
from .breaker import Breaker
from .checker import Finding, Kind, Stored
from .clients import Disconnects, Tab, Volunteers
from .diary import Diary
from .site import SiteUnderFaults

VOLUNTEERS, TABS, SPEAKERS = 12, 2, 16
FAULTS_PER_CHECK = 10
SECONDS_TO_COME_BACK = 60
# The sweep finds within seconds what the broker lost, but a worker on a busy machine may have to start first.
SECONDS_TO_SETTLE = 40
SECONDS_TO_FORGET = 120  # beat looks every minute for a scrub that the broker lost
MOST_LISTED = 20  # findings of each kind
RECONCILED_AFTER = 62  # seconds; newer files may belong to an upload under way


@dataclass
class Outcome:
    seed: int
    faults: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)
    first_red: int | None = None  # the number of faults before the first finding
    settled_after: float | None = None  # seconds after the faults ended
    forgotten_after: float | None = None
    diary: Diary = field(default_factory=Diary)

    def found(self, kind: Kind) -> int:
        return sum(finding.kind is kind for finding in self.findings)


def run(faults: int, seed: int, until: Kind | None = None, logs: Path | None = None) -> Outcome:
    """Cause faults, one every second, then check.

    With `until` it checks after every few faults, and stops at the first finding of that kind. The site's
    logs are copied to `logs`.
    """
    with (
        tempfile.TemporaryDirectory(prefix="tagger-faults-") as folder,
        SiteUnderFaults(Path(folder) / "home", LEASE_SECONDS="5", **NO_QUOTAS) as site,
    ):
        try:
            trial = Trial(site, Path(folder), faults, seed, until)
            while (left := faults - sum(trial.outcome.faults.values())) and not trial.is_red():
                trial.one_round(min(FAULTS_PER_CHECK, left) if until else left)
            return trial.outcome
        finally:
            if logs:
                shutil.copytree(site.home / "log", logs, dirs_exist_ok=True)


class Trial:
    """A site with its volunteers, importer and leavers, over one or more rounds of faults."""

    def __init__(
        self, site: SiteUnderFaults, folder: Path, faults: int, seed: int, until: Kind | None
    ) -> None:
        self.site, self.until = site, until
        self.outcome = Outcome(seed)
        self.diary = self.outcome.diary
        cast = _cast(site, clips=20 + 2 * faults)
        disconnects = Disconnects()
        self.breaker = Breaker(site, self.diary, disconnects, seed)
        self.outcome.faults = self.breaker.done
        self.volunteers = Volunteers(
            [
                Tab(volunteer, site.port, self.diary, disconnects, f"{seed} {number} {tab}")
                for number, volunteer in enumerate(cast["volunteers"])
                for tab in range(TABS)
            ]
        )
        importer = people.Importer(site, folder, count(cast["next"]), self.diary)
        leavers = people.Leavers(site, cast, importer, self.diary, seed)
        self.background = [people.Background(importer.acts(), 1.0), people.Background(leavers.acts(), 1.5)]
        self.began = time.monotonic()

    def one_round(self, faults: int) -> None:
        with self._all_at_work():
            for _ in range(faults):
                due = time.monotonic() + 1
                self._print(self.breaker.next())
                self._check_invariants()
                if self.until and self.outcome.first_red:
                    break
                self._wait_until_it_works(time.monotonic())
                time.sleep(max(0.0, due - time.monotonic()))
        self._wait_until_quiet()
        self.volunteers.listen_again(set(self.diary.forgotten()))
        self.outcome.findings = _without_reported_orphans(
            self.site, checker.check(self.diary, self._stored())
        )
        self.outcome.findings += self._found_by_the_site()
        self._note_first(self.outcome.findings)

    def is_red(self) -> bool:
        return any(self._counts(finding) for finding in self.outcome.findings)

    @contextmanager
    def _all_at_work(self) -> Iterator[None]:
        self.volunteers.start()
        for each in self.background:
            each.start()
        try:
            yield
        finally:
            for each in self.background:
                each.stop()
            self.breaker.last(self.volunteers.stop)

    def _wait_until_it_works(self, since: float) -> None:
        """Faults are caused every second, but only while the site works: an idle one has little to break."""
        while self.diary.worked_at < since:
            if time.monotonic() - since > SECONDS_TO_COME_BACK:
                raise TimeoutError(self.site.report(f"no call succeeded for {SECONDS_TO_COME_BACK} s"))
            time.sleep(0.02)

    def _check_invariants(self) -> None:
        """Check after every fault what must be true at any moment, to know which fault broke it."""
        with suppress(psycopg2.OperationalError):  # the database may be down
            self._note_first([*checker.at_any_moment(self._stored()), *checker.refused(self.diary)])

    def _note_first(self, findings: list[Finding]) -> None:
        if self.outcome.first_red is None and any(map(self._counts, findings)):
            self.outcome.first_red = sum(self.outcome.faults.values())

    def _counts(self, finding: Finding) -> bool:
        return self.until in (None, finding.kind)

    def _wait_until_quiet(self) -> None:
        """Until all answers are settled, all erasures finished, and tasks that these made dirty settled."""
        self.outcome.settled_after = self._seconds_until(_is_settled, SECONDS_TO_SETTLE)
        self.outcome.forgotten_after = self._seconds_until(
            lambda stored: not stored.erasures_under_way, SECONDS_TO_FORGET
        )
        self._seconds_until(_is_settled, SECONDS_TO_SETTLE)

    def _seconds_until(self, holds: Callable[[Stored], bool], most: float) -> float | None:
        began = time.monotonic()
        while (passed := time.monotonic() - began) < most:
            with suppress(psycopg2.OperationalError):
                if holds(self._stored()):
                    return passed
            time.sleep(0.1)
        return None

    def _stored(self) -> Stored:
        return checker.read(self.site.servers["DATABASE_URL"], self.site.home / "vault")

    def _found_by_the_site(self) -> Iterator[Finding]:
        """Recompute every label from its certificate, and check every receipt: is its erasure finished?"""
        done = self.site.manage("recompute", check=False)
        if done.returncode:
            yield Finding(Kind.WRONG, f"recompute: {done.stderr.strip()[-2000:]}")
        for out in self.diary.opted_out:
            if out.replied_at is None:
                yield Finding(Kind.NOT_FORGOTTEN, f"an opt-out ({out.way}) was never confirmed")
            elif out.receipt and (status := people.receipt_status(self.site.port, out.receipt)) != 200:
                yield Finding(Kind.NOT_FORGOTTEN, f"the receipt of an opt-out ({out.way}) answers {status}")

    def _print(self, kind: str) -> None:
        number = sum(self.outcome.faults.values())
        at, answers = time.monotonic() - self.began, len(self.diary.answered)
        print(f"{at:6.1f} s  fault {number:3}  {kind:31} {answers:6} answers acknowledged", flush=True)


def _is_settled(stored: Stored) -> bool:
    return not any(task.is_dirty for task in stored.tasks)


def _cast(site: SiteUnderFaults, clips: int) -> dict[str, Any]:
    code = f"from bench.faults import cast; cast.make({VOLUNTEERS}, {SPEAKERS}, {clips})"
    made = site.manage("shell", "--no-imports", "-c", code)
    cast: dict[str, Any] = json.loads(made.stdout.splitlines()[-1])
    return cast


def _without_reported_orphans(site: SiteUnderFaults, findings: list[Finding]) -> list[Finding]:
    """A file without a row is not a fault if `reconcile` reports it to the operator."""
    if not any(one.kind is Kind.ORPHANED and one.what.startswith("file ") for one in findings):
        return findings
    time.sleep(RECONCILED_AFTER)
    output = site.manage("reconcile", "--verbosity", "2", check=False).stdout
    reported = re.findall(r"^(?:files_without_rows|leftover_drafts): (.+)$", output, re.MULTILINE)
    told = {f"file {name} has no row" for name in reported}
    return [one for one in findings if one.kind is not Kind.ORPHANED or one.what not in told]


def report(outcome: Outcome) -> None:
    diary = outcome.diary
    print(f"\n{'faults':52}{sum(outcome.faults.values()):8}")
    for fault, number in sorted(outcome.faults.items()):
        print(f"  {fault:50}{number:8}")
    figures = {
        "answers acknowledged": len({(one.annotator, one.clip) for one in diary.answered}),
        "acknowledgements, including repeated ones": len(diary.answered),
        "calls that clients hung up on": len(diary.hung_up),
        "calls answered with 5xx while the database was down": sum(one.status >= 500 for one in diary.failed),
        "answers whose outcome was never known": len(diary.unknown),
        "clips imported": len(diary.imported),
        "people or clips withdrawn": len(diary.opted_out),
        "sounds requested": len(diary.heard),
        "seconds without the database": round(sum(end - start for start, end in diary.database_down)),
        **{kind.value: outcome.found(kind) for kind in Kind},
    }
    for what, number in figures.items():
        print(f"{what:52}{number:8}")
    times = {"settled": outcome.settled_after, "forgotten": outcome.forgotten_after}
    for what, seconds in times.items():
        print(f"{f'seconds until all was {what}':52}{'never' if seconds is None else f'{seconds:.1f}':>8}")
    for kind in Kind:
        for finding in [one for one in outcome.findings if one.kind is kind][:MOST_LISTED]:
            print(f"{kind}: {finding.what}")
    summary = {"seed": outcome.seed, "faults": dict(outcome.faults), "first_red": outcome.first_red}
    print(json.dumps(summary | figures | {f"{what}_after": seconds for what, seconds in times.items()}))
    sys.stdout.flush()

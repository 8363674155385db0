"""A whole site in a home of its own, whose launcher stands more than five deaths a minute."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tagger.local import addresses, processes
from tests.support.site import ROOT, SECONDS_TO_START, Site


class SiteUnderFaults(Site):
    def start(self) -> None:
        self.said = ""
        self.launcher = subprocess.Popen(
            [sys.executable, "-m", "bench.faults.launch"],
            cwd=ROOT,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.wait_for_line(re.escape(f"Tagger is at {self.url}/"), SECONDS_TO_START)

    @property
    def servers(self) -> dict[str, str]:
        """DATABASE_URL and REDIS_URL, which stay the same whatever is started anew."""
        return addresses.find(self.home)

    def pid(self, name: str) -> int | None:
        """Of one of the launcher's children; None while it is not there."""
        with suppress(OSError):  # one that ends while it is looked at
            return self.children().get(name)
        return None

    def web_workers(self) -> list[int]:
        master = self.pid("web")
        return sorted(processes.children_of(master)) if master else []

    @contextmanager
    def nothing_started_anew(self) -> Iterator[None]:
        """The launcher sleeps, so that what is killed stays away."""
        os.kill(self.launcher.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.launcher.pid, signal.SIGCONT)

"""A whole site in its own home, whose launcher tolerates more than five deaths of a child a minute."""

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
        """DATABASE_URL and REDIS_URL, which do not change when a server is restarted."""
        return addresses.find(self.home)

    def pid(self, name: str) -> int | None:
        """The process id of one of the launcher's children; None while it is not running."""
        with suppress(OSError):  # a process may end while it is read
            return self.children().get(name)
        return None

    def web_workers(self) -> list[int]:
        master = self.pid("web")
        return sorted(processes.children_of(master)) if master else []

    @contextmanager
    def without_restarts(self) -> Iterator[None]:
        """The launcher is paused, so that a killed process stays down."""
        os.kill(self.launcher.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.launcher.pid, signal.SIGCONT)

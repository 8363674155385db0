"""A running site for the bench: start it, pause some of its processes, read their processor time."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGCONT, SIGSTOP

from tagger.local import processes
from tests.support.site import Site

TICKS = os.sysconf("SC_CLK_TCK")


@contextmanager
def running(home: Path) -> Iterator[Site]:
    """A site with DEBUG off. It is killed at the end; tests check how a site stops."""
    site = Site(home, DEBUG="0")
    try:
        site.start()
        yield site
    finally:
        site.kill()
        site.remove_data()


@contextmanager
def paused(pids: list[int]) -> Iterator[None]:
    """Pauses these processes and their children."""
    family = [pid for parent in pids for pid in _family(parent)]
    for pid in family:
        os.kill(pid, SIGSTOP)
    try:
        yield
    finally:
        for pid in family:
            os.kill(pid, SIGCONT)


def processor_seconds(pid: int) -> float:
    """Of a process and all processes below it, including those that have ended."""
    ticks = 0
    for member in _family(pid):
        # The 12th to 15th fields after the name, which is in brackets and may contain anything.
        fields = Path(f"/proc/{member}/stat").read_text().rpartition(")")[2].split()
        ticks += sum(map(int, fields[11:15]))
    return ticks / TICKS


def _family(pid: int) -> list[int]:
    return [pid, *(below for child in processes.children_of(pid) for below in _family(child))]

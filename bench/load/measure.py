"""What processes took, as the operating system tells it."""

import os
import platform
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
PARENT, UTIME, CUTIME = 1, 11, 13  # of /proc/PID/stat, counted from behind the program's name


def children() -> dict[int, list[int]]:
    """Who has whom for children now, of every process of the machine."""
    found: dict[int, list[int]] = {}
    for pid in (int(name) for name in os.listdir("/proc") if name.isdigit()):
        found.setdefault(_field(pid, PARENT), []).append(pid)
    return found


def family(pid: int, below: Mapping[int, list[int]]) -> list[int]:
    """A process and all below it, by what `children` told."""
    found = [pid]
    for parent in found:
        found += below.get(parent, [])
    return found


def processor_seconds(pids: Iterable[int]) -> dict[int, float]:
    """User and system time of each so far; of processes that are gone, nothing."""
    return {pid: _ticks(pid, UTIME) / TICKS for pid in pids}


def of_the_dead(pid: int) -> float:
    """Processor seconds of this one's children that have ended."""
    return _ticks(pid, CUTIME) / TICKS


def _ticks(pid: int, first: int) -> int:
    return _field(pid, first) + _field(pid, first + 1)


def _field(pid: int, number: int) -> int:
    """0 for a process that is gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    # The program's name stands in brackets and may hold anything.
    return int(stat.rpartition(")")[2].split()[number])


@dataclass(frozen=True)
class Memory:
    """Bytes: `rss` counts what is shared once for each process, `pss` divides it among them."""

    rss: int
    pss: int


def memory(pids: Iterable[int]) -> Memory:
    texts = [_smaps(pid) for pid in pids]
    rss, pss = (sum(_kilobytes(name, text) for text in texts) * 1024 for name in ("Rss", "Pss"))
    return Memory(rss, pss)


def _smaps(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/smaps_rollup").read_text()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return ""


def _kilobytes(name: str, smaps: str) -> int:
    found = re.search(rf"^{name}:\s+(\d+) kB", smaps, re.M)
    return int(found[1]) if found else 0


def percentile(values: Sequence[float], share: float) -> float:
    """The nearest rank; nan of nothing.

    >>> percentile([1, 2, 3, 4], 0.5), percentile([1, 2, 3, 4], 0.99)
    (2, 4)
    """
    ordered = sorted(values)
    return ordered[max(0, ceil(share * len(ordered)) - 1)] if ordered else float("nan")


def machine() -> dict[str, str | int | float]:
    """What the figures were taken on; the load before the start tells how far to trust the times."""
    cpus = Path("/proc/cpuinfo").read_text()
    total = re.search(r"^MemTotal:\s+(\d+) kB", Path("/proc/meminfo").read_text(), re.M)
    model = re.search(r"^model name\s*: (.*)$", cpus, re.M)
    return {
        "processor": model[1] if model else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(int(total[1]) / 1e6, 1) if total else 0.0,
        "kernel": platform.release(),
        "python": platform.python_version(),
        "load_at_start": round(os.getloadavg()[0], 2),
    }

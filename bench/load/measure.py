"""Processor time and memory of processes, from /proc."""

import os
import platform
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
PARENT, UTIME, CUTIME = 1, 11, 13  # fields of /proc/PID/stat, counted after the program's name


def children() -> dict[int, list[int]]:
    """The children of every process of this machine."""
    found: dict[int, list[int]] = {}
    for pid in (int(name) for name in os.listdir("/proc") if name.isdigit()):
        found.setdefault(_field(pid, PARENT), []).append(pid)
    return found


def family(pid: int, below: Mapping[int, list[int]]) -> list[int]:
    """A process and all its descendants, by the result of `children`."""
    found = [pid]
    for parent in found:
        found += below.get(parent, [])
    return found


def processor_seconds(pids: Iterable[int]) -> dict[int, float]:
    """User and system time of each process so far; 0 for processes that have ended."""
    return {pid: _ticks(pid, UTIME) / TICKS for pid in pids}


def of_ended_children(pid: int) -> float:
    """Processor seconds of this process's children that have ended."""
    return _ticks(pid, CUTIME) / TICKS


def _ticks(pid: int, first: int) -> int:
    return _field(pid, first) + _field(pid, first + 1)


def _field(pid: int, number: int) -> int:
    """0 for a process that has ended."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    # The program's name is in brackets and may contain anything.
    return int(stat.rpartition(")")[2].split()[number])


@dataclass(frozen=True)
class Memory:
    """Bytes. `rss` counts shared memory for each process, `pss` divides it among them."""

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
    """The nearest rank; nan without values.

    >>> percentile([1, 2, 3, 4], 0.5), percentile([1, 2, 3, 4], 0.99)
    (2, 4)
    """
    ordered = sorted(values)
    return ordered[max(0, ceil(share * len(ordered)) - 1)] if ordered else float("nan")


def machine() -> dict[str, str | int | float]:
    """The machine. A high load before the start makes the times less reliable."""
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

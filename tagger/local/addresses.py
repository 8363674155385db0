"""The addresses of a home's servers: written by `make run`, read by every other process on that home."""

import os
from dataclasses import dataclass
from pathlib import Path

from . import durable


@dataclass(frozen=True)
class Run:
    """The record of a run, which may have been killed since. `started`: as `started_at` gives it."""

    home: Path
    pid: int
    started: str
    sockets: Path
    addresses: dict[str, str]

    def is_alive(self) -> bool:
        return started_at(self.pid) == self.started


def find(home: Path) -> dict[str, str]:
    """Servers and settings of the `make run` on this home, such as DATABASE_URL and PORT; {} if none runs."""
    run = _running(home)
    return run.addresses if run else {}


def is_running(home: Path) -> bool:
    """Whether a launcher is running on this home; true also while it starts and has no addresses yet."""
    return _running(home) is not None


def read(home: Path) -> Run | None:
    """The record of the last run; None if there is none, or if it is damaged."""
    record = durable.read_record(path(home))
    try:
        return Run(
            # Older records do not name their home.
            home=Path(_text(record.get("home", str(home.resolve())))),
            pid=int(record["pid"]),
            started=_text(record["started"]),
            sockets=Path(_text(record["sockets"])),
            addresses={_text(name): _text(value) for name, value in record["addresses"].items()},
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def write(home: Path, addresses: dict[str, str], sockets: Path) -> None:
    """Replace the record. It contains the secret key, so only the owner may read it."""
    record = {
        "home": str(home.resolve()),
        "pid": os.getpid(),
        "started": started_at(os.getpid()),
        "sockets": str(sockets),
        "addresses": addresses,
    }
    durable.write_record(path(home), record)


def forget(home: Path) -> None:
    path(home).unlink(missing_ok=True)


def path(home: Path) -> Path:
    return home / "run" / "servers.json"


def started_at(pid: int) -> str | None:
    """The start of a process in clock ticks since boot, which tells it from a later one with the same pid."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The second field is the program's name in brackets and may contain anything, so skip past it.
    return stat.rpartition(")")[2].split()[19]


def _running(home: Path) -> Run | None:
    """The record, if its launcher is running on this home. In a copied home it names the original."""
    run = read(home)
    return run if run and run.home == home.resolve() and run.is_alive() else None


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value

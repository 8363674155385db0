"""The addresses of a home's servers: written by `make run`, read by every other process on that home."""

import json
import os
from pathlib import Path
from typing import Any


def find(home: Path) -> dict[str, str]:
    """DATABASE_URL, REDIS_URL, SECRET_KEY and DEBUG of the `make run` on this home, {} if none is running."""
    record = read(home)
    if record is None or not _is_alive(record):
        return {}
    addresses: dict[str, str] = record["addresses"]
    return addresses


def is_running(home: Path) -> bool:
    """Whether a launcher is running on this home; true also while it starts and has no addresses yet."""
    record = read(home)
    return record is not None and _is_alive(record)


def read(home: Path) -> dict[str, Any] | None:
    """The record of the last run, which may have been killed since; None if there is none."""
    try:
        record: dict[str, Any] = json.loads(path(home).read_text())
    except FileNotFoundError:
        return None
    return record


def write(home: Path, addresses: dict[str, str], sockets: Path) -> None:
    """Replace the record atomically. It contains the secret key, so only the owner may read it."""
    record = {
        "pid": os.getpid(),
        "started": started_at(os.getpid()),
        "sockets": str(sockets),
        "addresses": addresses,
    }
    draft = path(home).with_suffix(".new")
    draft.unlink(missing_ok=True)
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(record, file)
    draft.replace(path(home))


def forget(home: Path) -> None:
    path(home).unlink(missing_ok=True)


def path(home: Path) -> Path:
    return home / "run" / "servers.json"


def _is_alive(record: dict[str, Any]) -> bool:
    return started_at(record["pid"]) == record["started"]


def started_at(pid: int) -> str | None:
    """The start of a process in clock ticks since boot, which tells it from a later one with the same pid."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The second field is the program's name in brackets and may contain anything, so skip past it.
    return stat.rpartition(")")[2].split()[19]

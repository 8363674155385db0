"""Where the servers of a home are: written by `make run`, read by whatever else works on that home."""

import json
import os
from pathlib import Path
from typing import Any


def find(home: Path) -> dict[str, str]:
    """DATABASE_URL, REDIS_URL, SECRET_KEY and DEBUG of the `make run` of this home, or {} when none runs."""
    record = read(home)
    if record is None or not _lives(record):
        return {}
    addresses: dict[str, str] = record["addresses"]
    return addresses


def is_running(home: Path) -> bool:
    """Also while it still starts, when it has no addresses yet."""
    record = read(home)
    return record is not None and _lives(record)


def read(home: Path) -> dict[str, Any] | None:
    """What the last run wrote, whether it still lives or was killed."""
    try:
        record: dict[str, Any] = json.loads(path(home).read_text())
    except FileNotFoundError:
        return None
    return record


def write(home: Path, addresses: dict[str, str], sockets: Path) -> None:
    """Readers see the whole record or none; it holds the secret key, so only its owner reads it."""
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


def _lives(record: dict[str, Any]) -> bool:
    return started_at(record["pid"]) == record["started"]


def started_at(pid: int) -> str | None:
    """The start of a process in clock ticks since boot, so that a number used again is not taken for it."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The second field is the program's name in brackets and may hold anything, so count from behind it.
    return stat.rpartition(")")[2].split()[19]

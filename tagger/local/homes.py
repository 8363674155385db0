"""The folder that holds everything one site keeps: data, logs, key."""

import fcntl
import os
import re
import secrets
import select
import shutil
import stat
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from . import addresses
from .logs import open_log
from .processes import ROOT
from .refusal import StartRefused

LEAST_FREE_BYTES = 300_000_000
SECONDS_FOR_LAST_RUN = 20


class Home:
    """A home that this process alone holds."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lock = -1

    @property
    def run(self) -> Path:
        return self.path / "run"

    def log(self, name: str) -> Path:
        return open_log(self.path / "log" / f"{name}.log")

    def secret_key(self) -> str:
        """Made once; sessions and signed receipts hold only as long as it stays the same."""
        path = self.path / "secret_key"
        if not path.exists():
            draft = path.with_suffix(".new")
            draft.unlink(missing_ok=True)
            with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(secrets.token_urlsafe(48))
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        return path.read_text().strip()


def where(environment: Mapping[str, str]) -> Path:
    return Path(environment.get("TAGGER_HOME") or ROOT / "var").absolute()


def take(path: Path, traversable: bool) -> Home:
    """Make the folder if need be and lock it; `traversable` lets other accounts pass through, not look in."""
    home = Home(path)
    try:
        if not path.is_dir():
            path.mkdir(parents=True)
            path.chmod(0o711 if traversable else 0o700)
        for folder in (home.run, path / "log"):
            folder.mkdir(exist_ok=True, mode=0o700)
        home.lock = _lock(home)
    except OSError as error:
        raise StartRefused(f"TAGGER_HOME {path} cannot be written: {error.strerror}") from error
    _check_space(path)
    _remove_last_sockets(path)
    return home


def is_traversable(path: Path) -> bool:
    """Whether an account with no rights of its own gets to what lies inside."""
    real = path.resolve()
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in (real, *real.parents))


def make_sockets() -> Path:
    """A short private folder: a socket's path holds 107 bytes, PostgreSQL takes a comma for its end, and the
    folder that stands for the host in DATABASE_URL is read in lower case."""
    base = Path(tempfile.gettempdir())
    plain = re.fullmatch(r"[a-z0-9/._-]{1,60}", str(base))
    if not plain or (os.geteuid() == 0 and not is_traversable(base)):
        base = Path("/tmp")
    try:
        sockets = Path(tempfile.mkdtemp(prefix="tagger-", dir=base))
    except OSError as error:
        raise StartRefused(f"no folder for sockets can be made in {base}: {error.strerror}") from error
    if os.geteuid() == 0:
        sockets.chmod(0o711)
    return sockets


def _lock(home: Home) -> int:
    """Children inherit this lock: a killed launcher's home is free when the last of them has ended."""
    handle = os.open(home.run / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + SECONDS_FOR_LAST_RUN
    while not _locked(handle):
        if addresses.is_running(home.path) or time.monotonic() > deadline:
            os.close(handle)
            raise StartRefused(
                f"TAGGER_HOME {home.path} is in use by another `make run`; give this one a home of its own"
            )
        select.select([], [], [], 0.05)  # a lock cannot be awaited with a deadline
    return handle


def _locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _check_space(path: Path) -> None:
    free = shutil.disk_usage(path).free
    if free < LEAST_FREE_BYTES:
        raise StartRefused(
            f"the disk of TAGGER_HOME {path} has {free // 10**6} MB free;"
            f" {LEAST_FREE_BYTES // 10**6} are needed"
        )


def _remove_last_sockets(path: Path) -> None:
    """Left behind when the last launcher was killed; its record names them."""
    record = addresses.read(path)
    if record is None:
        return
    sockets = Path(record["sockets"])
    if sockets.name.startswith("tagger-") and sockets.is_dir():
        shutil.rmtree(sockets)
    addresses.forget(path)

"""The home: the folder with everything that one site stores: data, logs, keys."""

import fcntl
import os
import re
import select
import shutil
import stat
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from . import addresses, durable, identity
from .identity import Mark
from .logs import open_log
from .processes import ROOT
from .refusal import StartRefused

LOCK = Path("run", "lock")
MIN_FREE_BYTES = 300_000_000
SECONDS_FOR_LAST_RUN = 20


class Home:
    """A home that is locked by this process, and what it knows itself by."""

    def __init__(self, path: Path, lock: int, mark: Mark) -> None:
        self.path = path
        self.lock = lock
        self.mark = mark

    @property
    def run(self) -> Path:
        return self.path / "run"

    def log(self, name: str) -> Path:
        """The log file of this name; created if it does not exist."""
        return open_log(self.path / "log" / f"{name}.log")


def home_path(environment: Mapping[str, str]) -> Path:
    """TAGGER_HOME, by default `var` in the project's folder."""
    return Path(environment.get("TAGGER_HOME") or ROOT / "var").absolute()


def claim(path: Path, traversable: bool) -> Home:
    """Create the folder if necessary, and lock it. `traversable`: other accounts may pass through it.

    Raises StartRefused if it is in use, has a twin, cannot be written, or its disk is almost full.
    """
    try:
        if not path.is_dir():
            durable.make_folder(path, 0o711 if traversable else 0o700)
        for folder in (path / "run", path / "log"):
            folder.mkdir(exist_ok=True, mode=0o700)
        lock = _lock(path)
        _check_space(path)
        mark = identity.settle(path)
    except OSError as error:
        raise StartRefused(f"TAGGER_HOME {path} cannot be written: {error.strerror}") from error
    _remove_stale_sockets(path)
    return Home(path, lock, mark)


def is_traversable(path: Path) -> bool:
    """Whether any other account can enter the folder and all folders above it."""
    real = path.resolve()
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in (real, *real.parents))


def make_sockets() -> Path:
    """Create a private folder with a short, plain name.

    A socket's path is limited to 107 bytes, PostgreSQL ends it at a comma, and the folder takes the host's
    place in DATABASE_URL, which is read in lower case.
    """
    base = Path(tempfile.gettempdir())
    plain = re.fullmatch(r"[a-z0-9/._-]{1,60}", str(base))
    if not plain or (os.geteuid() == 0 and not is_traversable(base)):
        base = Path("/tmp")
    try:
        sockets = Path(tempfile.mkdtemp(prefix="tagger-", dir=base))
    except OSError as error:
        raise StartRefused(f"cannot create a folder for sockets in {base}: {error.strerror}") from error
    if os.geteuid() == 0:
        sockets.chmod(0o711)
    return sockets


def _lock(home: Path) -> int:
    """Children inherit the lock, so the home of a killed launcher is free once all of them have ended."""
    handle = os.open(home / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + SECONDS_FOR_LAST_RUN
    while not _try_lock(handle):
        if addresses.is_running(home) or time.monotonic() > deadline:
            os.close(handle)
            raise StartRefused(
                f"TAGGER_HOME {home} is in use by another `make run`; choose another folder:"
                " TAGGER_HOME=/some/folder make run"
            )
        select.select([], [], [], 0.05)  # flock has no timeout
    return handle


def _try_lock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _check_space(path: Path) -> None:
    free = shutil.disk_usage(path).free
    if free < MIN_FREE_BYTES:
        raise StartRefused(
            f"the disk of TAGGER_HOME {path} has only {free // 10**6} MB free;"
            f" at least {MIN_FREE_BYTES // 10**6} MB are needed"
        )


def _remove_stale_sockets(path: Path) -> None:
    """Remove the folder that a killed launcher left behind; its record names it."""
    record = addresses.read(path)
    if record is None:
        return
    # A copied home has a copy of the record, whose launcher may be running in the original.
    if not record.is_alive() and record.sockets.name.startswith("tagger-") and record.sockets.is_dir():
        shutil.rmtree(record.sockets)
    addresses.forget(path)

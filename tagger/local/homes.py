"""The home: the folder with everything that one site stores: data, logs, keys."""

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

MIN_FREE_BYTES = 300_000_000
SECONDS_FOR_LAST_RUN = 20


class Home:
    """A home that is locked by this process."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lock = -1

    @property
    def run(self) -> Path:
        return self.path / "run"

    def log(self, name: str) -> Path:
        """The log file of this name; created if it does not exist."""
        return open_log(self.path / "log" / f"{name}.log")

    def secret_key(self) -> str:
        """Created once: if it changed, sessions and signed receipts would become invalid."""
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


def home_path(environment: Mapping[str, str]) -> Path:
    """TAGGER_HOME, by default `var` in the project's folder."""
    return Path(environment.get("TAGGER_HOME") or ROOT / "var").absolute()


def claim(path: Path, traversable: bool) -> Home:
    """Create the folder if necessary, and lock it. `traversable`: other accounts may pass through it.

    Raises StartRefused if it is in use, cannot be written, or its disk is almost full.
    """
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
    _remove_stale_sockets(path)
    return home


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


def _lock(home: Home) -> int:
    """Children inherit the lock, so the home of a killed launcher is free once all of them have ended."""
    handle = os.open(home.run / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + SECONDS_FOR_LAST_RUN
    while not _try_lock(handle):
        if addresses.is_running(home.path) or time.monotonic() > deadline:
            os.close(handle)
            raise StartRefused(
                f"TAGGER_HOME {home.path} is in use by another `make run`; choose another folder:"
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
    sockets = Path(record["sockets"])
    if sockets.name.startswith("tagger-") and sockets.is_dir():
        shutil.rmtree(sockets)
    addresses.forget(path)

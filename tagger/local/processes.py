"""Child processes that never outlive the launcher: the Linux kernel ends them, not our own clean-up."""

import ctypes
import os
import select
import signal
import subprocess
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from .refusal import StartRefused

ROOT = Path(__file__).resolve().parents[2]
PR_SET_PDEATHSIG = 1
PR_SET_NAME = 15
PR_SET_CHILD_SUBREAPER = 36

prctl = ctypes.CDLL(None).prctl


@dataclass(frozen=True)
class Account:
    """The account that a child runs as when it must not run as root."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True)
class Program:
    """How a child is started and stopped.

    `log`: None to write to the terminal; `keep_open`: file descriptors to inherit; `parent_died_signal`: sent
    by the kernel when the launcher is killed; `is_server`: others need it until the end, so it is stopped
    last; `is_fork`: of the launcher, which has loaded the site.
    """

    name: str
    command: list[str]
    log: Path | None
    environment: Mapping[str, str]
    folder: Path = ROOT
    account: Account | None = None
    keep_open: tuple[int, ...] = ()
    stop_signal: signal.Signals = signal.SIGTERM
    parent_died_signal: signal.Signals = signal.SIGTERM
    restart: bool = True
    is_server: bool = False
    is_fork: bool = False


def start(program: Program) -> subprocess.Popen[bytes]:
    """Start it in its own session, so that Ctrl-C in a terminal reaches the launcher alone."""
    log = program.log.open("ab") if program.log else None
    account = program.account
    try:
        return subprocess.Popen(
            program.command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=dict(program.environment),
            cwd=program.folder,
            start_new_session=True,
            umask=0o077,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
            pass_fds=program.keep_open,
            # subprocess calls this after changing the user, which would clear the setting.
            preexec_fn=die_with_parent(program.parent_died_signal),
        )
    except OSError as error:
        raise StartRefused(f"{program.name} could not be started: {error}") from error
    finally:
        if log:
            log.close()


def die_with_parent(last_signal: signal.Signals) -> Callable[[], None]:
    parent = os.getpid()

    def ask_the_kernel() -> None:
        prctl(PR_SET_PDEATHSIG, int(last_signal))
        if os.getppid() != parent:  # the parent died before the kernel was asked
            os._exit(1)

    return ask_the_kernel


def adopt_orphans() -> None:
    """Make grandchildren whose parent was killed our children, so that we can stop them and wait for them."""
    prctl(PR_SET_CHILD_SUBREAPER, 1)


def end_orphans(known: Iterable[int]) -> None:
    """Kill what a dead child left: a pool's processes, or a server's backends with its shared memory."""
    for pid in set(children_of(os.getpid())) - set(known):
        with suppress(ProcessLookupError, ChildProcessError):  # it may have ended by itself
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def children_of(parent: int) -> list[int]:
    return [pid for pid in _pids() if _parent_of(pid) == parent]


def working_in(folder: Path) -> list[int]:
    """All processes with this current directory; that of a PostgreSQL server is its data directory."""
    return [pid for pid in _pids() if _folder_of(pid) == folder]


def open_files(pid: int) -> list[Path]:
    """What its file descriptors lead to; the path of a removed file ends in " (deleted)"."""
    found = []
    with suppress(FileNotFoundError, ProcessLookupError, PermissionError):  # ended, or another user's
        for name in os.listdir(f"/proc/{pid}/fd"):
            with suppress(FileNotFoundError):  # closed since
                found.append(Path(os.readlink(f"/proc/{pid}/fd/{name}")))
    return found


def wait_until_gone(pids: Iterable[int], seconds: float) -> bool:
    """Wait for processes that are not our children. Returns whether all have ended."""
    return all(_gone_within(pid, seconds) for pid in pids)


def outcome(status: int) -> str:
    """How a child ended, in words.

    >>> outcome(-9), outcome(1)
    ('was killed by SIGKILL', 'ended with status 1')
    """
    if status >= 0:
        return f"ended with status {status}"
    return f"was killed by {signal.Signals(-status).name}"


def _pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _parent_of(pid: int) -> int | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return int(stat.rpartition(")")[2].split()[1])


def _folder_of(pid: int) -> Path | None:
    try:
        return Path(os.readlink(f"/proc/{pid}/cwd"))
    except (FileNotFoundError, ProcessLookupError, PermissionError):  # ended, or another user's
        return None


def _gone_within(pid: int, seconds: float) -> bool:
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], seconds)[0])
    finally:
        os.close(handle)

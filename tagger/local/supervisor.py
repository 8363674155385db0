"""Keeps child processes running, and stops them in order."""

import os
import select
import signal
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from subprocess import Popen
from types import FrameType

from . import processes
from .forks import Fork
from .logs import last_lines
from .processes import Program
from .refusal import StartRefused

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
MAX_ENDS = 5
WITHIN_SECONDS = 60
GRACE_SECONDS = 20


class StopRequested(Exception):
    """Ctrl-C, or another signal to stop."""


@dataclass
class Child:
    """A program's process; `ends`: when its last processes ended, in seconds of the monotonic clock."""

    program: Program
    process: Popen[bytes] | Fork
    ends: deque[float] = field(default_factory=lambda: deque(maxlen=MAX_ENDS))

    @property
    def ended(self) -> bool:
        return self.process.poll() is not None


class Supervisor:
    """Starts children, restarts those that end, and stops all; `say` prints a line for the user."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.say = say
        self.children: dict[str, Child] = {}
        self.stopping = False
        self._wakeups, self._wakeup_end = os.pipe()
        os.set_blocking(self._wakeups, False)
        os.set_blocking(self._wakeup_end, False)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Receive signals, SIGCHLD included, as bytes on a pipe: none is missed, and nothing is polled."""
        processes.adopt_orphans()
        for number in (*STOP_SIGNALS, signal.SIGCHLD):
            signal.signal(number, _only_wake)
        signal.set_wakeup_fd(self._wakeup_end, warn_on_full_buffer=False)
        try:
            yield
        finally:
            self.stop_all()
            signal.set_wakeup_fd(-1)

    def start(self, program: Program) -> None:
        self.children[program.name] = Child(program, _begin(program))

    def run_once(self, program: Program) -> None:
        """Run a command that must succeed before anything else starts. Raises StartRefused if it fails."""
        self.start(program)
        self.wait_for(lambda: self.children[program.name].ended)
        status = self.children.pop(program.name).process.wait()
        if status != 0:
            raise StartRefused(f"{program.name} {processes.outcome(status)}{_log_tail(program)}")

    def wait_for(self, condition: Callable[[], bool], seconds: float | None = None) -> None:
        """Wait until the condition holds. It is checked after every event; with a deadline also every 50 ms,
        because then it waits for something that causes no event. Raises TimeoutError."""
        deadline = None if seconds is None else time.monotonic() + seconds
        while not condition():
            if deadline and time.monotonic() > deadline:
                raise TimeoutError
            self._next_event(None if deadline is None else 0.05)

    def wait_until_closed(self, stream: int) -> None:
        """Wait until the process at the other end of a pipe closes it or dies."""
        while not self._is_readable(stream) or os.read(stream, 1024):
            self._next_event(None, stream)

    def watch(self) -> None:
        """Keep the children running until a signal raises StopRequested."""
        while True:
            self._next_event(None)

    def stop_all(self) -> None:
        """Stop the last started first; servers come after all others, one at a time."""
        self.stopping = True
        newest_first = list(reversed(self.children.values()))
        self._stop([child for child in newest_first if not child.program.is_server])
        for server in [child for child in newest_first if child.program.is_server]:
            self._stop([server])

    def _stop(self, leaving: list[Child]) -> None:
        """Signal them in this order and wait for all; kill those that take longer than `GRACE_SECONDS`."""
        for child in leaving:
            if not child.ended:
                child.process.send_signal(child.program.stop_signal)
        try:
            self.wait_for(lambda: all(child.ended for child in leaving), GRACE_SECONDS)
        except TimeoutError:
            for child in leaving:
                child.process.kill()
                child.process.wait()
        for child in leaving:
            del self.children[child.program.name]
        self._end_orphans()

    def _next_event(self, seconds: float | None, *streams: int) -> None:
        select.select([self._wakeups, *streams], [], [], seconds)
        if self._has_stop_signal() and not self.stopping:
            raise StopRequested
        if not self.stopping:
            self._restart_ended()

    def _is_readable(self, stream: int) -> bool:
        return bool(select.select([stream], [], [], 0)[0])

    def _has_stop_signal(self) -> bool:
        try:
            numbers = os.read(self._wakeups, 1024)
        except BlockingIOError:
            return False
        return any(number in STOP_SIGNALS for number in numbers)

    def _restart_ended(self) -> None:
        ended = [child for child in self.children.values() if child.program.restart and child.ended]
        if ended:
            self._end_orphans()
        for child in ended:
            self._restart(child)

    def _restart(self, child: Child) -> None:
        program = child.program
        outcome = processes.outcome(child.process.wait())
        child.ends.append(time.monotonic())
        if len(child.ends) == MAX_ENDS and child.ends[-1] - child.ends[0] <= WITHIN_SECONDS:
            raise StartRefused(
                f"{program.name} {outcome}, the {MAX_ENDS}th end within {WITHIN_SECONDS} seconds"
                f"{_log_tail(program)}"
            )
        self.say(f"{program.name} {outcome}; starting it again.")
        child.process = _begin(program)

    def _end_orphans(self) -> None:
        processes.end_orphans(child.process.pid for child in self.children.values())


def _begin(program: Program) -> Popen[bytes] | Fork:
    return Fork(program) if program.is_fork else processes.start(program)


def _only_wake(number: int, frame: FrameType | None) -> None:
    """Only wakes the supervisor, which reads the pipe."""


def _log_tail(program: Program) -> str:
    if program.log is None:
        return ""
    lines = "".join(f"\n    {line}" for line in last_lines(program.log))
    return f". The last lines of {program.log}:{lines}"

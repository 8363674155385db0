"""Keeps children running, and ends them in order."""

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
from .logs import last_lines
from .processes import Program
from .refusal import StartRefused

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
MOST_DEATHS = 5
WITHIN_SECONDS = 60
GRACE_SECONDS = 20


class StopRequested(Exception):
    """Ctrl-C, or another signal that asks to end."""


@dataclass
class Child:
    program: Program
    process: Popen[bytes]
    deaths: deque[float] = field(default_factory=lambda: deque(maxlen=MOST_DEATHS))

    @property
    def ended(self) -> bool:
        return self.process.poll() is not None


class Supervisor:
    def __init__(self, say: Callable[[str], None]) -> None:
        self.say = say
        self.children: dict[str, Child] = {}
        self.stopping = False
        self._wakeups, self._wakeup_end = os.pipe()
        os.set_blocking(self._wakeups, False)
        os.set_blocking(self._wakeup_end, False)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Signals, and so the end of every child, arrive as bytes on a pipe: nothing is missed or polled."""
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
        self.children[program.name] = Child(program, processes.start(program))

    def run_once(self, program: Program) -> None:
        """A command that has to succeed before anything else is started."""
        self.start(program)
        self.wait_for(lambda: self.children[program.name].ended)
        status = self.children.pop(program.name).process.wait()
        if status != 0:
            raise StartRefused(f"{program.name} {processes.outcome(status)}{_told_by(program)}")

    def wait_for(self, condition: Callable[[], bool], seconds: float | None = None) -> None:
        """Until the condition holds. It is looked at again after every event, and with a deadline also in
        between, because what it asks for then tells nobody when it comes about."""
        deadline = None if seconds is None else time.monotonic() + seconds
        while not condition():
            if deadline and time.monotonic() > deadline:
                raise TimeoutError
            self._next_event(None if deadline is None else 0.05)

    def wait_for_end_of(self, stream: int) -> None:
        """Until whoever holds the other end of a pipe closes it or dies."""
        while not self._readable_at_once(stream) or os.read(stream, 1024):
            self._next_event(None, stream)

    def watch(self) -> None:
        """Until somebody asks to stop."""
        while True:
            self._next_event(None)

    def stop_all(self) -> None:
        """Last started, first stopped; servers one after the other when nobody needs them any more."""
        self.stopping = True
        newest_first = list(reversed(self.children.values()))
        self._stop([child for child in newest_first if not child.program.is_server])
        for server in [child for child in newest_first if child.program.is_server]:
            self._stop([server])

    def _stop(self, leaving: list[Child]) -> None:
        """Signalled in this order and awaited together; whoever stays too long is killed."""
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
        if self._asked_to_stop() and not self.stopping:
            raise StopRequested
        if not self.stopping:
            self._bring_back_the_dead()

    def _readable_at_once(self, stream: int) -> bool:
        return bool(select.select([stream], [], [], 0)[0])

    def _asked_to_stop(self) -> bool:
        try:
            numbers = os.read(self._wakeups, 1024)
        except BlockingIOError:
            return False
        return any(number in STOP_SIGNALS for number in numbers)

    def _bring_back_the_dead(self) -> None:
        dead = [child for child in self.children.values() if child.program.restart and child.ended]
        if dead:
            self._end_orphans()
        for child in dead:
            self._bring_back(child)

    def _bring_back(self, child: Child) -> None:
        program = child.program
        outcome = processes.outcome(child.process.wait())
        child.deaths.append(time.monotonic())
        if len(child.deaths) == MOST_DEATHS and child.deaths[-1] - child.deaths[0] <= WITHIN_SECONDS:
            raise StartRefused(
                f"{program.name} {outcome}, the {MOST_DEATHS}th end within {WITHIN_SECONDS} seconds"
                f"{_told_by(program)}"
            )
        self.say(f"{program.name} {outcome}; starting it again.")
        child.process = processes.start(program)

    def _end_orphans(self) -> None:
        processes.end_orphans(child.process.pid for child in self.children.values())


def _only_wake(number: int, frame: FrameType | None) -> None:
    """The work is done where the pipe is read."""


def _told_by(program: Program) -> str:
    if program.log is None:
        return ""
    lines = "".join(f"\n    {line}" for line in last_lines(program.log))
    return f". The last lines of {program.log}:{lines}"

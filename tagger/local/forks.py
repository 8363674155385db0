"""The site's programs as forks of the launcher, which loads the site once for all of them.

Loading takes seconds of processor time, and what is loaded is shared memory. A fork is signalled, ends and is
restarted as any other child.
"""

import multiprocessing
import os
import runpy
import signal
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module

from tagger.celery import app

from .processes import PR_SET_NAME, Program, die_with_parent, prctl
from .refusal import StartRefused

# What the programs import besides the site itself.
LIBRARIES = (
    *("celery.apps.beat", "celery.apps.worker", "celery.bin.celery", "celery.concurrency.prefork"),
    *("celery.worker.consumer", "gunicorn.app.wsgiapp", "kombu.transport.redis"),
)


def load(environment: Mapping[str, str]) -> None:
    """Import the site in this environment, which becomes the launcher's. It opens no connection and starts no
    thread of Python. Raises StartRefused, after the traceback."""
    os.environ.clear()
    os.environ.update(environment)
    try:
        app.loader.import_default_modules()  # as each worker of Celery does: all tasks, and Django's checks
        for library in LIBRARIES:
            import_module(library)
    except Exception as error:
        traceback.print_exc()
        raise StartRefused("the site cannot be imported, see above") from error


class Fork:
    """Runs a program, `python -m MODULE …`, in the launcher's environment; it has the methods of
    `subprocess.Popen` that the supervisor uses."""

    def __init__(self, program: Program) -> None:
        # Until the fork has handlers of its own, the launcher's would take its signals for the launcher's.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        try:
            self._process = multiprocessing.get_context("fork").Process(
                target=_become,
                name=program.name,
                args=(program, die_with_parent(program.parent_died_signal), before),
            )
            self._process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        assert self._process.pid is not None
        self.pid = self._process.pid

    def poll(self) -> int | None:
        """The exit status once it has ended; a negative one is the signal that ended it."""
        return self._process.exitcode

    def wait(self) -> int:
        self._process.join()
        status = self._process.exitcode
        assert status is not None
        return status

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self._process.kill()


def _become(program: Program, ask_the_kernel: Callable[[], None], signals: Iterable[int]) -> None:
    ask_the_kernel()
    os.setsid()
    os.umask(0o077)
    os.chdir(program.folder)
    prctl(PR_SET_NAME, f"tagger-{program.name}".encode())
    _keep_files(program)
    _forget_handlers()
    signal.pthread_sigmask(signal.SIG_SETMASK, signals)
    _python, _m, module, *_arguments = program.command
    sys.argv = program.command[2:]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _keep_files(program: Program) -> None:
    """Those of the program, and none of the launcher's."""
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    sys.stdin = os.fdopen(0, closefd=False)
    if program.log:
        log = os.open(program.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.dup2(log, 1)
        os.dup2(log, 2)
        sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__  # the launcher may have lost its terminal
    for number in map(int, os.listdir("/proc/self/fd")):
        if number > 2 and number not in program.keep_open:
            os.closerange(number, number + 1)  # without an error: the list itself was one of them


def _forget_handlers() -> None:
    """The launcher's; what is ignored stays ignored, as in any child."""
    signal.set_wakeup_fd(-1)
    for number in signal.valid_signals():
        if callable(signal.getsignal(number)):
            signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)

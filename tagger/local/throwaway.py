"""A temporary PostgreSQL and Redis that vanish with the process that asked for them: for tests."""

import json
import os
import shutil
import sys
from contextlib import suppress
from pathlib import Path

from . import cluster, homes, postgres, valkey
from .homes import Home
from .run import start_postgres, start_valkey
from .supervisor import StopRequested, Supervisor


def serve() -> None:
    """Print the addresses as one line of JSON; stop and remove everything when standard input is closed.

    The caller holds the other end of the input, so nothing is left behind even if the caller is killed.
    """
    folder = homes.make_sockets()
    supervisor = Supervisor(_print_to_stderr)
    try:
        with supervisor.listening():
            home = homes.claim(folder / "home", traversable=os.geteuid() == 0)
            with suppress(StopRequested):  # a signal ends it too
                _serve(home, folder, supervisor)
    finally:
        cluster.remove(folder / "home")
        shutil.rmtree(folder)


def _serve(home: Home, sockets: Path, supervisor: Supervisor) -> None:
    start_postgres(home, sockets, supervisor, durable=False)
    start_valkey(home, sockets, supervisor)
    found = {
        "DATABASE_URL": postgres.url(sockets),
        "REDIS_URL": valkey.url(sockets),
        "TAGGER_HOME": str(home.path),
    }
    print(json.dumps(found), flush=True)
    supervisor.wait_until_closed(sys.stdin.fileno())


def _print_to_stderr(line: str) -> None:
    print(line, file=sys.stderr, flush=True)

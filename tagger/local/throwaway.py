"""A PostgreSQL and a Redis that vanish with whoever asked for them: for tests and trials."""

import json
import os
import shutil
import sys
from contextlib import suppress
from pathlib import Path

from . import homes, postgres, valkey
from .homes import Home
from .run import start_postgres, start_valkey
from .supervisor import StopRequested, Supervisor


def serve() -> None:
    """Print the addresses as one line of JSON; stop and remove everything when standard input ends.

    Its other end is held by whoever asked, so even one that is killed leaves nothing behind.
    """
    folder = homes.make_sockets()
    supervisor = Supervisor(_to_errors)
    try:
        with supervisor.listening():
            home = homes.take(folder / "home", traversable=os.geteuid() == 0)
            with suppress(StopRequested):  # a signal is as good an end as the end of the input
                _serve(home, folder, supervisor)
    finally:
        postgres.remove_data(folder / "home")
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
    supervisor.wait_for_end_of(sys.stdin.fileno())


def _to_errors(line: str) -> None:
    print(line, file=sys.stderr, flush=True)

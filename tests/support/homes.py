"""A home whose PostgreSQL alone runs, as `make run` starts it: enough to see which database a home finds."""

import os
import shutil
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import psycopg2

from tagger.local import homes, postgres, run
from tagger.local.refusal import StartRefused
from tagger.local.supervisor import Supervisor
from tests.support.servers import ROOT

UP = "up at "


class DatabaseOf:
    """It runs within the block. `said`: the lines for the user."""

    def __init__(self, home):
        self.home = Path(home)

    def __enter__(self):
        self.process = _start(self.home)
        self.said, line = [], ""
        while not line.startswith(UP):
            line = self.process.stdout.readline().rstrip("\n")
            assert line, self.process.communicate()
            self.said.append(line)
        self.url = self.said.pop().removeprefix(UP)
        return self

    def __exit__(self, *error):
        self.process.communicate(timeout=60)  # closes its input, which it waits for

    def query(self, statement):
        with closing(psycopg2.connect(self.url)) as connection, connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchone() if cursor.description else None


def refusal(home):
    """The one line with which the start is refused."""
    process = _start(home)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 1 and not output and errors.count("\n") == 1, (output, errors)
    return errors.strip()


def _start(home):
    return subprocess.Popen(
        [sys.executable, "-m", "tests.support.homes", str(home)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def main(home):
    sockets = homes.make_sockets()
    supervisor = Supervisor(run.say)
    try:
        with supervisor.listening():
            claimed = homes.claim(home, traversable=os.geteuid() == 0)
            run.start_postgres(claimed, sockets, supervisor)
            run.say(UP + postgres.url(sockets))
            supervisor.wait_until_closed(sys.stdin.fileno())
    except StartRefused as reason:
        sys.exit(str(reason))
    finally:
        shutil.rmtree(sockets)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""A home whose PostgreSQL alone runs, as `make run` starts it: enough to see which database a home finds."""

import os
import shutil
import sys
from contextlib import closing
from pathlib import Path

import psycopg2

from tagger.local import homes, postgres, run
from tagger.local.forks import Fork
from tagger.local.processes import Program
from tagger.local.refusal import StartRefused
from tagger.local.supervisor import Supervisor

UP = "up at "


class Launcher:
    """A fork of this process, which has imported all it needs. It ends when its input is closed."""

    def __init__(self, module, *arguments):
        theirs, self._input = os.pipe()
        output, theirs_to_write = os.pipe()
        errors, theirs_for_errors = os.pipe()
        given = theirs, theirs_to_write, theirs_for_errors
        command = [sys.executable, "-m", module, *map(str, (*given, *arguments))]
        self._fork = Fork(Program("home", command, Path(os.devnull), os.environ, keep_open=given))
        for number in given:
            os.close(number)
        self.output, self._errors = os.fdopen(output), os.fdopen(errors)

    def end(self):
        """Its exit code, and the rest of what it said."""
        os.close(self._input)
        with self.output, self._errors:
            said = self.output.read(), self._errors.read()
        return self._fork.wait(), *said


class DatabaseOf:
    """It runs within the block. `said`: the lines for the user."""

    def __init__(self, home):
        self.home = Path(home)

    def __enter__(self):
        self.launcher = Launcher(__name__, self.home)
        self.said, line = [], ""
        while not line.startswith(UP):
            line = self.launcher.output.readline().rstrip("\n")
            assert line, self.launcher.end()
            self.said.append(line)
        self.url = self.said.pop().removeprefix(UP)
        return self

    def __exit__(self, *error):
        self.launcher.end()

    def query(self, statement):
        with closing(psycopg2.connect(self.url)) as connection, connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchone() if cursor.description else None


def refusal(home):
    """The one line with which the start is refused."""
    code, output, errors = Launcher(__name__, home).end()
    assert code == 1 and not output and errors.count("\n") == 1, (output, errors)
    return errors.strip()


def main(home):
    sockets = homes.make_sockets()
    supervisor = Supervisor(run.say)
    try:
        with supervisor.listening():
            claimed = homes.claim(home, traversable=os.geteuid() == 0)
            run.start_postgres(claimed, sockets, supervisor, durable=False)  # no test cuts the power
            run.say(UP + postgres.url(sockets))
            supervisor.wait_until_closed(sys.stdin.fileno())
    except StartRefused as reason:
        sys.exit(str(reason))
    finally:
        shutil.rmtree(sockets)


def take(given):
    """The numbers of the input and both outputs that this fork has instead of its own."""
    for number, theirs in enumerate(map(int, given)):
        os.dup2(theirs, number)


if __name__ == "__main__":
    take(sys.argv[1:4])
    main(Path(sys.argv[4]))

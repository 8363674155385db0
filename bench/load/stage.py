"""The whole site on its own servers, as `make run` starts it, in a temporary home.

Each program's connections have its name, so that the database's processor time can be attributed to it.
"""

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg2
from psycopg2.extensions import connection as Connection

from bench.load import measure
from tagger.local import cluster, homes, ports, postgres, run, secret_key, valkey
from tagger.local.homes import Home
from tagger.local.processes import Program
from tagger.local.supervisor import Supervisor
from tests.support.quotas import NO_QUOTAS

OURS = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "HTTPS", "TAGGER_HOME", "PORT")
PROGRAMS = ("web", "worker", "beat")


@dataclass
class Stage:
    supervisor: Supervisor
    home: Home
    environment: dict[str, str]
    port: int
    database: Connection

    def pid(self, name: str) -> int:
        return self.supervisor.children[name].process.pid

    def start(self, program: Program) -> None:
        named = dict(program.environment) | {"PGAPPNAME": program.name}
        self.supervisor.start(replace(program, environment=named))

    def manage(self, *arguments: str) -> None:
        """Run a command of the load test; its output goes to its log."""
        command = [sys.executable, "manage.py", *arguments]
        environment = self.environment | {"DJANGO_SETTINGS_MODULE": "bench.load.settings"}
        program = Program(arguments[0], command, self.home.log(arguments[0]), environment, restart=False)
        self.supervisor.run_once(program)

    def wait_until(self, moment: float, while_waiting: Callable[[], None] = lambda: None) -> None:
        """Wait for this time of the monotonic clock; `while_waiting` is called about 20 times a second."""

        def reached() -> bool:
            while_waiting()
            return time.monotonic() >= moment

        self.supervisor.wait_for(reached, seconds=max(0, moment - time.monotonic()) + 60)

    def processor(self) -> dict[str, float]:
        """Processor seconds so far for each program, and the database's by the program that it served."""
        below, connections = measure.children(), self._backends()
        families = {name: measure.family(self.pid(name), below) for name in self._running()}
        used = {name: sum(measure.processor_seconds(pids).values()) for name, pids in families.items()}
        postmaster = self.pid("postgres")
        each = measure.processor_seconds(measure.family(postmaster, below))
        served = {
            f"database for {name}": sum(each.pop(pid, 0.0) for pid in pids) for name, pids in connections
        }
        # The programs of closed connections are unknown: they are counted in the rest.
        rest = sum(each.values()) + measure.of_ended_children(postmaster)
        return used | served | {"rest of the database": rest}

    def memory(self) -> dict[str, measure.Memory]:
        names, below = (*self._running(), "postgres"), measure.children()
        return {name: measure.memory(measure.family(self.pid(name), below)) for name in names}

    def one(self, statement: str, *values: object) -> int:
        """The number that a statement returns."""
        with self.database.cursor() as cursor:
            cursor.execute(statement, values or None)
            row = cursor.fetchone()
        return int(row[0]) if row and row[0] is not None else 0

    def _running(self) -> list[str]:
        return [name for name in self.supervisor.children if name != "postgres"]

    def _backends(self) -> list[tuple[str, list[int]]]:
        with self.database.cursor() as cursor:
            cursor.execute(
                "SELECT application_name, array_agg(pid) FROM pg_stat_activity"
                " WHERE backend_type = 'client backend' GROUP BY 1"
            )
            return cursor.fetchall()


@contextmanager
def site(prepare: Callable[[Stage], None]) -> Iterator[Stage]:
    """A running site. `prepare` makes its data when only the servers are up."""
    folder = homes.make_sockets()
    supervisor = Supervisor(say)
    try:
        with supervisor.listening():
            home = homes.claim(folder / "home", traversable=os.geteuid() == 0)
            listener = ports.listen(0)
            stage = _servers(home, folder, supervisor, listener.getsockname()[1])
            prepare(stage)
            for program in (
                run.worker(stage.environment, home),
                run.web(stage.environment, home, listener),
                run.beat(stage.environment, home),
            ):
                stage.start(program)
            run.wait_until_ready(stage.port, supervisor)
            yield stage
            stage.database.close()
    finally:
        cluster.remove(folder / "home")
        shutil.rmtree(folder)


def _servers(home: Home, sockets: Path, supervisor: Supervisor, port: int) -> Stage:
    """With durable commits, as on a real site."""
    run.start_postgres(home, sockets, supervisor)
    run.start_valkey(home, sockets, supervisor)
    found = {"DATABASE_URL": postgres.url(sockets), "REDIS_URL": valkey.url(sockets)}
    key = secret_key.read_or_make(home.path, found["DATABASE_URL"])
    fixed = {"SECRET_KEY": key, "DEBUG": "0", "TAGGER_DEMO": "0", **NO_QUOTAS}
    inherited: Mapping[str, str] = {name: value for name, value in os.environ.items() if name not in OURS}
    environment = run.site_environment(inherited, found | fixed, home, port) | fixed
    database = psycopg2.connect(postgres.url(sockets), application_name="load test")
    database.autocommit = True
    stage = Stage(supervisor, home, environment, port, database)
    supervisor.run_once(run.prepare_data(environment, home))
    return stage


@contextmanager
def bare(stage: Stage) -> Iterator[int]:
    """Two bare views with the site's server settings and database; yields the port."""
    listener = ports.listen(0)
    port: int = listener.getsockname()[1]
    environment = stage.environment | {"DJANGO_SETTINGS_MODULE": "bench.load.bare"}
    program = run.web(environment, stage.home, listener)
    command = [word.replace("tagger.wsgi", "bench.load.bare_wsgi") for word in program.command]
    stage.start(replace(program, name="bare", command=command, log=stage.home.log("bare")))
    try:
        # It has no such page, but any reply means that it is up.
        stage.supervisor.wait_for(lambda: run.readiness(port) is not None, run.SECONDS_TO_START)
        yield port
    finally:
        child = stage.supervisor.children.pop("bare")
        child.process.terminate()
        child.process.wait()
        listener.close()


def say(line: str) -> None:
    """Progress goes to stderr, the report to stdout."""
    print(line, file=sys.stderr, flush=True)

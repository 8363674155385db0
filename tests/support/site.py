"""The whole site as `make run` starts it, for tests that need more than Django's own client."""

import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
import redis

from tagger.local import addresses, cluster, processes
from tests.support import databases, servers
from tests.support.commands import Commands

ROOT = Path(__file__).resolve().parents[2]
SECONDS_TO_START = 90
SECONDS_TO_STOP = 60
COMMANDS = {
    "web": "tagger-web",
    "worker": "tagger-worker",
    "eraser": "tagger-eraser",
    "beat": "tagger-beat",
    "postgres": "postgres",
    "valkey": "valkey-server",
}
OURS = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "HTTPS")


class Site:
    """One `python -m tagger.local run` on a home of its own."""

    def __init__(self, home, port=None, **environment):
        self.home = Path(home)
        self.port = port or free_port()
        self.url = f"http://localhost:{self.port}"
        inherited = {name: value for name, value in os.environ.items() if name not in OURS}
        fixed = {"TAGGER_HOME": str(self.home), "PORT": str(self.port), "DEBUG": "1", "TAGGER_DEMO": "0"}
        fixed["SECOND_LOOKS_SHARE"] = "0"  # which come by chance
        self.env = inherited | fixed | environment
        self.said = ""

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *error):
        try:
            if any(error):
                self.kill()
            else:
                self.stop()
        finally:
            self.remove_data()

    def start(self):
        self.said = ""
        self.launcher = subprocess.Popen(
            [sys.executable, "-m", "tagger.local", "run"],
            cwd=ROOT,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            # It stops when pytest is killed.
            preexec_fn=processes.die_with_parent(signal.SIGTERM),
        )
        self.wait_for_line(re.escape(f"Tagger is at {self.url}/"), SECONDS_TO_START)

    def stop(self, number=signal.SIGINT):
        """In order: nothing went wrong, and nobody is left."""
        family = self.family()
        self.launcher.send_signal(number)
        code = self.wait()
        assert code == 0, self.report(f"exit code {code} after {number!r}")
        assert alive(family) == [], self.report(f"processes left: {alive(family)}")

    def kill(self):
        """However it went: a test that failed already needs no second failure on top."""
        if self.launcher.poll() is None:
            self.launcher.terminate()
            self.wait()

    def remove_data(self):
        """pytest keeps the logs; the data is large, and as root it lies outside of pytest's folder."""
        cluster.remove(self.home)

    def wait(self):
        """The launcher's exit code; what it says while ending is kept."""
        rest, _ = self.launcher.communicate(timeout=SECONDS_TO_STOP)
        self.said += rest.decode()
        return self.launcher.returncode

    def wait_for_line(self, pattern, seconds=30, times=1):
        """Until the launcher has said it; what it said before counts as well."""
        deadline = time.monotonic() + seconds
        while len(re.findall(pattern, self.said)) < times:
            ready, _, _ = select.select([self.launcher.stdout], [], [], max(0, deadline - time.monotonic()))
            piece = os.read(self.launcher.stdout.fileno(), 65536) if ready else b""
            if not piece:
                self.kill()
                pytest.fail(self.report(f"the launcher never said {pattern!r}"))
            self.said += piece.decode()

    def refusal(self, at_once=True):
        """The one line with which a start is refused, `at_once` or after it said that it began."""
        command = [sys.executable, "-m", "tagger.local", "run"]
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=self.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 1 and (done.stdout == "" or not at_once), done
        assert done.stderr.startswith("tagger: ") and done.stderr.count("\n") == 1, done.stderr
        return done.stderr.removeprefix("tagger: ").strip()

    def manage(self, *arguments, check=True, **options):
        """manage.py as a second terminal runs it: it has to find the servers by itself."""
        done = subprocess.run(
            [sys.executable, "manage.py", *map(str, arguments)],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            **({"env": self.env} | options),
        )
        if check:
            assert done.returncode == 0, self.report(f"{arguments}: {done.stdout}{done.stderr}")
        return done

    def manage_all(self, commands):
        """Several commands in one process, as each start of Django takes more than a second."""
        words = [tuple(map(str, command)) for command in commands]
        code = (
            f"from django.core.management import call_command\nfor words in {words!r}: call_command(*words)"
        )
        return self.manage("shell", "-v", "0", "-c", code)

    def is_ready(self):
        try:
            return httpx.get(f"{self.url}/readyz", timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    def children(self):
        """The launcher's own children by what they run, such as {"worker": 4711}."""
        pids = {
            Path(f"/proc/{pid}/comm").read_text().rstrip("\n"): pid
            for pid in processes.children_of(self.launcher.pid)
        }
        return {name: pids[command] for name, command in COMMANDS.items() if command in pids}

    def log(self, name):
        return (self.home / "log" / f"{name}.log").read_text(errors="replace")

    def family(self):
        """Every process below the launcher, with its start, for a pid may be used again."""
        found, parents = [], [self.launcher.pid]
        while parents:
            parents = [child for parent in parents for child in processes.children_of(parent)]
            found += [(pid, addresses.started_at(pid)) for pid in parents]
        return found

    def report(self, what):
        logs = sorted((self.home / "log").glob("*.log"))
        tails = [f"--- {path.name}\n{path.read_text(errors='replace')[-3000:]}" for path in logs]
        return "\n".join([what, "--- said", self.said, *tails])


class QuickSite(Site):
    """A site whose commands share one import of Django; given a copy of the template, it can be emptied."""

    def __init__(self, home, database=None, **environment):
        given = {"DATABASE_URL": databases.url(database)} if database else {}
        super().__init__(home, **given, **environment)
        self.database = database
        self.commands = None

    def start(self):
        if self.database:
            self.copy_template()
        super().start()
        self.commands = Commands(self.env)

    def stop(self, number=signal.SIGINT):
        self.commands.close()
        super().stop(number)

    def kill(self):
        if self.commands:
            self.commands.close()
        super().kill()

    def manage(self, *arguments, check=True):
        done = self.commands.run(*arguments)
        if check:
            assert done.returncode == 0, self.report(f"{arguments}: {done.stdout}{done.stderr}")
        return done

    def rest(self):
        """Without the clock nobody looks for work every two seconds, until it goes on."""
        os.kill(self.children()["beat"], signal.SIGSTOP)

    def go_on(self):
        os.kill(self.children()["beat"], signal.SIGCONT)

    def empty(self):
        """As after its first start: no rows, no keys, no files, nothing in the queue. It keeps running."""
        self.copy_template()
        with redis.Redis.from_url(addresses.find(self.home)["REDIS_URL"]) as broker:
            for key in broker.scan_iter():
                if not key.startswith(b"_kombu.binding"):  # routes, which each process declares only once
                    broker.delete(key)
        for name in ("vault", "keys", "mail"):
            shutil.rmtree(self.home / name, ignore_errors=True)

    def copy_template(self):
        with databases.server() as cursor:
            databases.create(cursor, self.database, databases.TEMPLATE)


def alive(family):
    return [pid for pid, started in family if addresses.started_at(pid) == started]


def eventually(condition, seconds=30):
    """Whether it comes true in time; for what tells nobody when it does."""
    deadline = time.monotonic() + seconds
    while not (met := condition()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return met


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="session")
def running_site(tmp_path_factory, template):
    """One site for all tests of this process, as it is published: our own pages for errors, hashed files."""
    home = tmp_path_factory.mktemp("site") / "home"
    name = f"site_{servers.number_of_process()}"
    with QuickSite(home, name, DEBUG="0") as running:
        yield running
        running.go_on()  # to its end
    with databases.server() as cursor:
        databases.drop(cursor, name)


@pytest.fixture(scope="module")
def site(running_site):
    """It is empty when a module begins, and rests between modules that use it."""
    running_site.go_on()
    running_site.empty()
    yield running_site
    running_site.rest()


# What takes most of a minute or more begins first, the longest before all, so that at the end of a run no
# process waits for one of these.
LONG = (
    "test_local_homes",
    "test_browser_no_third_party",
    "test_local_state",
    "test_fault_test",
    "test_browser_access",
    "test_bodies",
    "test_scan",
    "test_canary",
    "test_local_restore",
    "test_restore",
    "test_load_test",
    "test_browser_recording",
    "test_browser_journey",
    "test_withdrawal",
    "test_roles",
    "test_browser_languages",
    "test_fetch_release",
    "test_clean_copy",
    "test_local_run",
    "test_local_supervision",
    "test_kept_answers",
    "test_browser_desk",
    "test_browser_ways_out",
    "test_browser_review",
    "test_browser_owner",
    "test_api_description",
    "test_migrations",
    "test_browser_listening",
    "test_browser_offline",
    "test_rotation",
    "test_arabic",
    "test_headers",
    "test_browser_imports",
    "test_quotas",
    "test_attack",
    "test_browser_components",
    "test_browser_screens",
    "test_browser_first_minute",
    "test_evening",
    "test_demo",
)


# These start sites by themselves, without the fixture.
OWN_SITES = {
    "test_canary",
    "test_device_client",
    "test_fault_test",
    "test_journey",
    "test_load_test",
    "test_scan",
}


def pytest_addoption(parser):
    parser.addoption(
        "--quick", action="store_true", help="leave out what `is_slow`, and search fewer random examples"
    )
    looks = {"choices": ["by-turns", "every"], "default": "by-turns"}
    parser.addoption("--looks", **looks, help="languages, themes and sizes of text in which pages have axe")


def pytest_collection_modifyitems(config, items):
    if config.getoption("--quick"):
        left_out = [item for item in items if is_slow(item)]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not is_slow(item)]
    place = {name: number for number, name in enumerate(LONG)}
    items.sort(key=lambda item: place.get(item.path.stem, len(LONG)))


def is_slow(item):
    """Whether the test needs a browser, a running site or other connections to its database, or says so."""
    needs = {"browser", "running_site", "transactional_db"}.intersection(getattr(item, "fixturenames", ()))
    database = item.get_closest_marker("django_db")
    is_local = item.path.parent.name == "local" and item.path.stem != "test_demo_voices"
    return (
        bool(needs)
        or is_local
        or item.path.stem in OWN_SITES
        or item.path.stem.startswith("test_browser_")
        or bool(database and database.kwargs.get("transaction"))
        or item.get_closest_marker("thorough") is not None
    )

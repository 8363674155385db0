"""The site's web server on the database of this process's tests, without importing Django for each test."""

import os
import select
import signal
import socket
import sys
from contextlib import suppress

import pytest

from tagger.local import processes
from tests.support.commands import Commands
from tests.support.site import eventually

# Each fork reads the keys and the vault of its test, so only what those two do not touch is loaded before.
LOADED_BEFORE = """
from importlib import import_module
from django.conf import settings
from django.utils.module_loading import import_string
for name in ("gunicorn.app.wsgiapp", "gunicorn.workers.gthread", "tagger.bodies"):
    import_module(name)
for name in settings.MIDDLEWARE:
    import_string(name)
"""
GUNICORN = """
import sys
from gunicorn.app.wsgiapp import run
sys.argv[0] = "gunicorn"
run()
"""


class Web:
    """gunicorn in a fork for each test, on one port. The home that it knows is a link to that of the test."""

    def __init__(self, link):
        self.link, self.commands = link, None
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]

    def start(self, environment):
        self.link.unlink(missing_ok=True)
        self.link.symlink_to(environment["TAGGER_HOME"])
        if not self.commands:
            known = {"TAGGER_HOME": str(self.link), "DJANGO_SETTINGS_MODULE": "tagger.settings"}
            self.commands = Commands(environment | known, LOADED_BEFORE, [self.listening.fileno()])
        options = ["--bind", f"fd://{self.listening.fileno()}", "--threads", "2", "--no-control-socket"]
        self.commands.begin("-c", GUNICORN, *options, "tagger.wsgi")

    def stop(self):
        """What it wrote goes to the report of the test, also if it ended by itself."""
        assert eventually(lambda: self._forks() or self._has_ended())
        for pid in self._forks():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        sys.stderr.write(self.commands.end().stderr)

    def close(self):
        if self.commands:
            self.commands.close()
        self.listening.close()

    def _has_ended(self):
        return select.select([self.commands.server.stdout], [], [], 0)[0]

    def _forks(self):
        return processes.children_of(self.commands.server.pid)


@pytest.fixture(scope="session")
def web(tmp_path_factory):
    server = Web(tmp_path_factory.mktemp("web") / "home")
    yield server
    server.close()


@pytest.fixture
def gunicorn(web, site_environment):
    """The port of a gunicorn that uses this test's database and vault."""
    web.start(site_environment)
    yield web.port
    web.stop()

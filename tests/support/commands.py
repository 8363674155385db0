"""manage.py for one site, many times, without importing Django for each command.

Run as a program, it loads Django once, runs the program that it is given, and forks for each command that it
reads from its input; `Commands` starts it and talks to it. `-c` and a program are run as by Python.
"""

import gc
import os
import sys
from functools import partial

import pytest

from tests.support.forks import ForkServer, execute, serve


class Commands(ForkServer):
    """Runs commands in the environment of one site, each in its own process.

    `first` is run before all of them, and the processes have these open `files`.
    """

    def __init__(self, environment, first="", files=()):
        super().__init__("tests.support.commands", first, environment=environment, files=files)

    def run(self, *arguments):
        return self.ask(*map(str, arguments))


class Killed:
    """Programs on the database of this process's tests. They load Django once, so the home that they know is
    a link, which leads to that of the test."""

    def __init__(self, link):
        self.link, self.commands = link, None

    def run(self, environment, *arguments):
        self.link.unlink(missing_ok=True)
        self.link.symlink_to(environment["TAGGER_HOME"])
        known = {"TAGGER_HOME": str(self.link), "DJANGO_SETTINGS_MODULE": "tagger.settings"}
        self.commands = self.commands or Commands(environment | known)
        return self.commands.run("-c", *arguments)

    def close(self):
        if self.commands:
            self.commands.close()


@pytest.fixture(scope="session")
def killed(tmp_path_factory):
    programs = Killed(tmp_path_factory.mktemp("killed") / "home")
    yield programs
    programs.close()


@pytest.fixture
def in_site(killed, site_environment):
    """Runs a program, with arguments, in a process of its own, on this test's database, vault and keys."""
    return partial(killed.run, site_environment)


def command(*arguments):
    """In a fork: `manage.py` with these arguments, or a program."""
    if arguments[0] == "-c":
        return execute(arguments)
    sys.argv = ["manage.py", *arguments]
    return manage.main()


if __name__ == "__main__":
    import manage

    os.environ["DJANGO_SETTINGS_MODULE"] = "tagger.settings"
    import django
    from django.urls import get_resolver

    django.setup()
    get_resolver().url_patterns  # noqa: B018  (imports what most commands need)
    exec(sys.argv[1])
    gc.collect()
    gc.freeze()  # so that no fork copies all of it
    serve(command)

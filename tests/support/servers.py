"""Gives each process of the tests a PostgreSQL and a Redis of its own, unless the environment names some.

Loaded with `-p tests.support.servers`, so that the addresses are there before Django reads its settings.
"""

import json
import os
import secrets
import select
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SECONDS_TO_START = 60
STARTED = "TAGGER_TESTS_STARTED"  # the addresses that a process found missing, for the processes below it


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config):
    os.environ.update(SECRET_KEY=secrets.token_urlsafe(48), DEBUG="0")
    for name in os.environ.pop(STARTED, "").split():
        del os.environ[name]
    if os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL"):
        home = tempfile.TemporaryDirectory(prefix="tagger-tests-")
        early_config.add_cleanup(home.cleanup)
        os.environ["TAGGER_HOME"] = home.name
        return
    servers = start()
    early_config.add_cleanup(lambda: stop(servers))
    found = json.loads(first_line(servers))
    given = {name: os.environ[name] for name in ("DATABASE_URL", "REDIS_URL") if os.environ.get(name)}
    os.environ.update(found | given)
    os.environ[STARTED] = " ".join(found.keys() - given.keys())


def start():
    """They watch our end of their input: when pytest is killed, they stop and remove what they wrote."""
    command = [sys.executable, "-m", "tagger.local", "throwaway"]
    return subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    )


def first_line(servers):
    ready, _, _ = select.select([servers.stdout], [], [], SECONDS_TO_START)
    line = servers.stdout.readline() if ready else ""
    if not line:
        raise pytest.UsageError("the embedded servers did not start")
    return line


def stop(servers):
    servers.stdin.close()
    servers.stdout.close()
    servers.wait(timeout=60)

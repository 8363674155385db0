"""One PostgreSQL and one Redis for all processes of a test run, unless the environment names some.

Loaded with `-p tests.support.servers`, so that the addresses are known before Django reads its settings.
Each process of pytest-xdist has its own databases and its own number in Redis.
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
SHARED = "TAGGER_TESTS_SHARE"  # set while processes below this one share the servers that it started


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config):
    os.environ.update(SECRET_KEY=secrets.token_urlsafe(48), DEBUG="0")
    if SHARED in os.environ:
        os.environ["REDIS_URL"] = numbered(os.environ["REDIS_URL"], number_of_process())
    elif not (os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL")):
        servers = start()
        early_config.add_cleanup(lambda: stop(servers))
        share(json.loads(first_line(servers)))
    home = tempfile.TemporaryDirectory(prefix="tagger-tests-")
    early_config.add_cleanup(home.cleanup)
    os.environ["TAGGER_HOME"] = home.name
    Path(home.name, "static").mkdir()  # without it WhiteNoise warns for each client


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


def share(found):
    """Puts the addresses into the environment; one that was given there stays as it is."""
    for name in ("DATABASE_URL", "REDIS_URL"):
        os.environ[name] = os.environ.get(name) or found[name]
    os.environ[SHARED] = "1"


def number_of_process():
    """1 for the first process of pytest-xdist; 0 is the process that started them."""
    return int(os.environ.get("PYTEST_XDIST_WORKER", "gw-1").removeprefix("gw")) + 1


def numbered(redis_url, number):
    """
    >>> numbered("unix:///tmp/valkey.sock?db=0", 2)
    'unix:///tmp/valkey.sock?db=2'
    """
    return redis_url.replace("?db=0", f"?db={number}")

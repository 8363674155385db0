"""One PostgreSQL and one Redis for all processes of a test run, unless the environment names some.

Loaded with `-p tests.support.servers`, so that the addresses are known before Django reads its settings.
Each process of pytest-xdist has its own databases and its own number in Redis.
"""

import json
import os
import re
import secrets
import select
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

import pytest

ROOT = Path(__file__).resolve().parents[2]
SECONDS_TO_START = 60
SHARED = "TAGGER_TESTS_SHARE"  # set below a process that started servers: the first number in Redis to use


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config):
    os.environ.update(SECRET_KEY=secrets.token_urlsafe(48), DEBUG="0", HTTPS="0")
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


def environment_of(database, first):
    """For another run of pytest: with this database, and numbers in Redis from `first` on."""
    address = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{database}").geturl()
    return os.environ | {"DATABASE_URL": address, SHARED: str(first)}


def number_of_process():
    """Different for each process of pytest-xdist."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    return int(os.environ.get(SHARED, "1")) + int(worker)


def numbered(redis_url, number):
    """
    >>> numbered("unix:///tmp/valkey.sock?db=0", 2)
    'unix:///tmp/valkey.sock?db=2'
    """
    return re.sub(r"\?db=\d+$", f"?db={number}", redis_url)

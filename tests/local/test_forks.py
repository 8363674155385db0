"""A program that the launcher forks is as free of the launcher as one that was started by itself."""

import json
import os
import signal
import socket
import sys
from contextlib import closing

import psycopg2
import pytest
import redis

from tagger.local.forks import Fork
from tagger.local.processes import Program
from tests.support.mutants import mutant


@pytest.fixture
def launcher():
    """What the launcher, here this process, has open and listens to; its lock may be kept."""
    before = signal.signal(signal.SIGHUP, lambda *_: None)
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    wakeup = signal.set_wakeup_fd(writing)
    database = psycopg2.connect(os.environ["DATABASE_URL"].rpartition("/")[0] + "/postgres")
    broker = redis.Redis.from_url(os.environ["REDIS_URL"])
    with closing(database), closing(broker), open(os.devnull) as lock, socket.create_server(("127.0.0.1", 0)):
        broker.ping()
        yield lock.fileno()
    signal.set_wakeup_fd(wakeup)
    signal.signal(signal.SIGHUP, before)
    os.close(reading)
    os.close(writing)


def fork(tmp_path, module, *arguments, **options):
    command = [sys.executable, "-m", module, *arguments]
    return Fork(Program("probe", command, tmp_path / "probe.log", os.environ, **options))


@mutant(
    "a fork holds no connection of the launcher's",
    "tagger/local/forks.py",
    kept_by="        if number > 2 and number not in program.keep_open:",
    broken="        if False:",
)
@mutant(
    "a signal for a fork is not taken for the launcher's",
    "tagger/local/forks.py",
    kept_by="    _forget_handlers()",
    broken="    pass",
)
def test_a_fork_keeps_nothing_of_the_launcher_but_what_it_is_given(launcher, tmp_path):
    forked = fork(tmp_path, "tests.support.inherited", "word", keep_open=(launcher,))
    assert forked.wait() == forked.poll() == 1
    first, *rest = (tmp_path / "probe.log").read_text().splitlines()
    told, log = json.loads(first), str(tmp_path / "probe.log")
    assert told["arguments"][1:] == ["word"] and rest == ["and ends with a reason"]
    assert told["files"] == {"0": os.devnull, "1": log, "2": log, str(launcher): os.devnull}
    assert (told["handlers"], told["wakeup"], told["blocked"]) == ([signal.SIGINT], -1, [])
    assert told["leads a session"] and told["name"] == "tagger-probe"


def test_a_forks_end_is_told_as_a_childs(launcher, tmp_path):
    assert fork(tmp_path, "tests.support.no_such_module").wait() == 1
    assert "Traceback" in (tmp_path / "probe.log").read_text()
    waiting = fork(tmp_path, "http.server", "--bind", "127.0.0.1", "0")
    assert waiting.poll() is None
    waiting.send_signal(signal.SIGTERM)
    assert waiting.wait() == -signal.SIGTERM
    waiting.send_signal(signal.SIGTERM)  # has no one to reach
    waiting.kill()

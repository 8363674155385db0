"""Beat knows after a restart when each task last ran, and no damaged file stops it."""

import json
import os
import select
import socket
import socketserver
import subprocess
import sys
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tagger.beat import DurableScheduler
from tagger.celery import app
from tagger.local import durable
from tests.support.mutants import mutant
from tests.support.site import ROOT, eventually

YESTERDAY = datetime.now(UTC) - timedelta(days=1)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "beat-schedule"


def scheduler(file):
    return DurableScheduler(app, schedule_filename=str(file))


def last_runs(file):
    return {name: entry.last_run_at for name, entry in scheduler(file).schedule.items()}


@mutant(
    "a task that was due while the site was off runs at the next start",
    "tagger/beat.py",
    kept_by="min(_time(last_runs.get(name)) or now, now)",
    broken="now",
)
def test_the_times_of_the_last_runs_survive_a_restart(file):
    before = scheduler(file)
    for entry in before.schedule.values():
        entry.last_run_at = YESTERDAY
    before.close()
    assert set(last_runs(file).values()) == {YESTERDAY}
    assert set(last_runs(file)) == set(app.conf.beat_schedule)
    assert scheduler(file).schedule["scrub"].is_due().is_due


def test_a_time_that_lies_ahead_counts_as_now(file):
    """As written while the clock of the machine was wrong."""
    file.write_text(json.dumps({"scrub": (datetime.now(UTC) + timedelta(days=365)).isoformat()}))
    assert last_runs(file)["scrub"] <= datetime.now(UTC)


@pytest.mark.parametrize("time", [None, 5, "", "yesterday", "2026-05-01", "2026-05-01T10:00:00", []])
def test_what_is_no_time_counts_as_now(file, time):
    file.write_text(json.dumps({"scrub": time, "sweep": YESTERDAY.isoformat()}))
    found = last_runs(file)
    assert found["scrub"] > YESTERDAY == found["sweep"]


@mutant(
    "a damaged schedule does not end beat",
    "tagger/settings.py",
    kept_by='CELERY_BEAT_SCHEDULER = "tagger.beat:DurableScheduler"',
    broken="",
)
@pytest.mark.parametrize(
    "damaged",
    [b"", b'{"scrub": "2026-', b"\xff\0" * 500],
    ids=["empty", "torn", "garbage"],
)
def test_beat_runs_on_a_damaged_schedule(file, damaged):
    """The other files are those of Celery's own scheduler with Python's portable dbm, and as damaged."""
    file.write_bytes(damaged)
    file.with_name(file.name + ".dir").write_text("'entries', (0, 300)\n")
    file.with_name(file.name + ".dat").write_bytes(damaged)
    beat = start_beat(file)
    try:
        assert eventually(lambda: "sweep" in durable.read_record(file) or beat.poll() is not None)
        assert beat.poll() is None, beat.communicate()
    finally:
        said = end(beat)
    assert "Traceback" not in said and beat.returncode == 0


@mutant(
    "beat stops when it is told to while it waits for the broker",
    "tagger/beat.py",
    kept_by="    def close(self) -> None:",
    broken="    def closed(self) -> None:",
)
def test_beat_stops_in_the_middle_of_a_call_to_the_broker(file):
    with broker_that_falls_silent() as (url, has_pushed):
        beat = start_beat(file, REDIS_URL=url)
        try:
            assert has_pushed.wait(60) and eventually(lambda: is_waiting(beat.pid))
            beat.terminate()
            beat.wait(30)  # by far longer than it takes, and than a timeout of the broker
        finally:
            beat.kill()
            said = end(beat)
    assert "Traceback" not in said and beat.returncode == 0
    assert "sweep" in durable.read_record(file)


def start_beat(file, **environment):
    command = [sys.executable, "-m", "celery", "-A", "tagger", "beat", "--schedule", file, "--pidfile="]
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env=os.environ | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def is_waiting(pid):
    """Whether the process does nothing until it gets a reply or a signal."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "S"


def end(beat):
    # Not while it imports: Python turns what a signal raises in a class body into an error of that class, and
    # Celery logs that and goes on.
    assert eventually(lambda: beat.poll() is not None or is_waiting(beat.pid))
    beat.terminate()
    return beat.communicate(timeout=60)[1]


@contextmanager
def broker_that_falls_silent():
    """The tests' Redis, which no longer answers once a task was pushed; yields its URL and an event."""
    has_pushed = threading.Event()

    class Connection(socketserver.BaseRequestHandler):
        def handle(self):
            with connection_to_redis() as redis:
                while readable := select.select([self.request, redis], [], [])[0]:
                    for end, other in ((self.request, redis), (redis, self.request)):
                        if end in readable:
                            data = end.recv(65_536)
                            if not data:
                                return
                            if b"LPUSH" in data:
                                has_pushed.set()
                            elif not has_pushed.is_set():
                                other.sendall(data)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Connection) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"redis://127.0.0.1:{server.server_address[1]}/0", has_pushed
        server.shutdown()


def connection_to_redis():
    address = urlsplit(os.environ["REDIS_URL"])
    if address.scheme != "unix":
        return socket.create_connection((address.hostname, address.port or 6379))
    connected = socket.socket(socket.AF_UNIX)
    connected.connect(address.path)
    return connected

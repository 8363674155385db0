"""A file of state is complete after a kill or a power cut, and a damaged one is read as none."""

import os
import signal
import subprocess
import sys

import pytest

from tagger.local import durable
from tests.support.mutants import mutant
from tests.support.site import ROOT

# Calls of the system that change something on disk, in the order in which `durable.write` makes them.
STEPS = ("unlink", "open", "fchmod", "fsync", "replace", "open the folder", "fsync the folder")
WRITE_UNTIL = """
import os, pathlib, signal, sys
from tagger.local import durable

steps = int(sys.argv[2])

def counted(call):
    def and_die(*words, **options):
        global steps
        if not steps:
            os.kill(os.getpid(), signal.SIGKILL)
        steps -= 1
        return call(*words, **options)
    return and_die

for name in ("unlink", "open", "fchmod", "fsync", "replace"):
    setattr(os, name, counted(getattr(os, name)))
durable.write_record(pathlib.Path(sys.argv[1]), {"content": "new" * 10_000})
"""


@mutant(
    "a file of state is never seen half-written",
    "tagger/local/durable.py",
    kept_by='    draft = path.with_name(path.name + ".new")',
    broken="    draft = path",
)
@pytest.mark.parametrize("steps", range(len(STEPS)), ids=STEPS)
def test_a_kill_at_any_step_leaves_the_old_or_the_new_file(tmp_path, steps):
    path = tmp_path / "state"
    durable.write_record(path, {"content": "old"})
    command = [sys.executable, "-c", WRITE_UNTIL, path, str(steps)]
    assert subprocess.run(command, cwd=ROOT).returncode == -signal.SIGKILL
    assert durable.read_record(path)["content"] in ("old", "new" * 10_000)
    durable.write_record(path, {"content": "newer"})  # what the killed one left is no obstacle
    assert durable.read_record(path) == {"content": "newer"} and list(tmp_path.iterdir()) == [path]


@mutant(
    "a file of state is on disk before it replaces the old one",
    "tagger/local/durable.py",
    kept_by="        os.fsync(file.fileno())  # before",
    broken="        # before",
)
def test_content_name_and_folder_are_synced_in_this_order(tmp_path, monkeypatch):
    """A power cut cannot be made here; this is what keeps its damage away."""
    path, calls = tmp_path / "state", []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(
        os, "fsync", lambda handle: (calls.append(os.readlink(f"/proc/self/fd/{handle}")), fsync(handle))
    )
    monkeypatch.setattr(os, "replace", lambda old, new: (calls.append("replace"), replace(old, new)))
    durable.write(path, "text")
    assert calls == [f"{path}.new", "replace", str(tmp_path)]


def test_a_file_of_state_is_closed_to_others_whatever_the_umask(tmp_path):
    before = os.umask(0)
    try:
        durable.write(tmp_path / "state", "secret")
    finally:
        os.umask(before)
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "content", [b"", b'{"pid": 1', b"\0" * 40, b"\xff\xfe", b"[]", b"null", b"7", b"[" * 100_000]
)
def test_what_is_no_record_is_read_as_none(tmp_path, content):
    (tmp_path / "state").write_bytes(content)
    assert durable.read_record(tmp_path / "state") == {}


def test_new_folders_are_durable_with_their_parents(tmp_path, monkeypatch):
    synced, fsync = [], os.fsync
    monkeypatch.setattr(
        os, "fsync", lambda handle: (synced.append(os.readlink(f"/proc/self/fd/{handle}")), fsync(handle))
    )
    durable.make_folder(tmp_path / "a" / "b", 0o700)
    assert set(synced) == {str(tmp_path), str(tmp_path / "a")}
    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o700

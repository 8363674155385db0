"""An export's folder has all files or none."""

import errno
import os
import subprocess
from pathlib import Path

import pytest

from datasets import disks
from datasets.releases.formats import deepspeech, folder, precise
from datasets.releases.formats.folder import Entry
from tests.support import training
from tests.support.mutants import mutant
from tests.support.released import refused


def entries(form, rows=training.RELEASE):
    return [entry(path, content) for path, content in training.files(form, rows).items()]


def entry(path, content):
    return Entry(path, len(content), [content])


def test_a_folder_has_the_files_of_the_archive(tmp_path):
    written = folder.write(entries(deepspeech), tmp_path / "new" / "out")
    found = {
        path.relative_to(tmp_path / "new" / "out").as_posix(): path.read_bytes()
        for path in tmp_path.rglob("*")
        if path.is_file()
    }
    assert found == training.files(deepspeech)
    assert (written.files, written.bytes) == (len(found), sum(map(len, found.values())))


def test_an_empty_folder_is_filled(tmp_path):
    (tmp_path / "out").mkdir()
    folder.write(entries(precise, training.WAKE_WORDS), tmp_path / "out")
    assert (tmp_path / "out" / "wake-word/w1.wav").exists()


@pytest.fixture
def disk(tmp_path, monkeypatch):
    """A folder that is a mount point as far as can be told without mounting: it can be no rename's target."""
    place, rename = tmp_path / "disk", os.rename
    place.mkdir()

    def refusing(source, target):
        if Path(target) == place:
            raise OSError(errno.EBUSY, "Device or resource busy", str(target))
        rename(source, target)

    monkeypatch.setattr(os.path, "ismount", lambda path: Path(path) == place)
    monkeypatch.setattr(os, "rename", refusing)
    return place


@mutant(
    "an export fills an empty disk that is mounted at its folder",
    "datasets/releases/formats/folder.py",
    kept_by="    is_disk = os.path.ismount(folder)\n    parent",
    broken="    is_disk = False\n    parent",
)
def test_an_empty_disk_is_filled(disk, tmp_path):
    (disk / "lost+found").mkdir()
    folder.write(entries(precise, training.WAKE_WORDS), disk)
    assert (disk / "wake-word/w1.wav").exists()
    assert [path.name for path in disk.iterdir() if path.name.startswith(".")] == []
    assert [path.name for path in tmp_path.iterdir()] == ["disk"]


def test_a_disk_that_is_really_mounted_is_filled(tmp_path):
    place = tmp_path / "disk"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "none", str(place)], capture_output=True).returncode:
        pytest.skip("needs a right to mount")
    try:
        folder.write(entries(precise, training.WAKE_WORDS), place)
        assert (place / "wake-word/w1.wav").exists()
        assert len([path for path in place.iterdir() if path.name.startswith(".")]) == 0
    finally:
        subprocess.run(["umount", str(place)], check=True)


def test_a_disk_that_cannot_be_filled_is_left_empty(disk, monkeypatch):
    rename, moved = Path.rename, []

    def failing(self, target):
        moved.append(target)
        if len(moved) == 3:
            raise OSError(errno.EIO, "Input/output error")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(OSError, match="Input/output"):
        folder.write(entries(deepspeech), disk)
    assert list(disk.iterdir()) == []


@mutant(
    "an export does not fill the system's disk in place of one that is not mounted",
    "datasets/releases/formats/folder.py",
    kept_by="    _check_mounted(folder)\n",
    broken="",
)
@pytest.mark.parametrize("to", ["usb", "usb/out", "missing", "missing/deep/out", "."])
def test_where_no_disk_is_mounted_nothing_is_written(tmp_path, monkeypatch, to):
    (tmp_path / "usb").mkdir()
    if to == ".":
        (tmp_path / "usb").rmdir()
    monkeypatch.setattr(folder, "MOUNTS", (tmp_path,))
    with refused(folder.NotMounted, "no disk is mounted at"):
        folder.write(entries(precise, training.WAKE_WORDS), tmp_path / to)
    assert list(tmp_path.rglob("*")) == ([] if to == "." else [tmp_path / "usb"])


def test_where_a_disk_is_mounted_or_a_folder_is_in_use_all_is_written(disk, tmp_path, monkeypatch):
    monkeypatch.setattr(folder, "MOUNTS", (tmp_path,))
    (tmp_path / "in use").mkdir()
    (tmp_path / "in use" / "mine.txt").write_text("mine")
    for to in (disk / "out", tmp_path / "in use" / "deep" / "out"):
        folder.write(entries(precise, training.WAKE_WORDS), to)
        assert (to / "wake-word/w1.wav").exists()


@mutant(
    "an export is on disk before it gets its name, and its name before the command ends",
    "datasets/releases/formats/folder.py",
    kept_by="        _sync(whole)\n",
    broken="",
)
def test_an_export_is_on_disk_before_it_has_its_name(tmp_path, monkeypatch):
    done, rename, sync = [], os.rename, disks.sync
    monkeypatch.setattr(os, "rename", lambda *both: (done.append("rename"), rename(*both)))
    monkeypatch.setattr(disks, "sync", lambda path: (done.append(Path(path).name), sync(path)))
    monkeypatch.setattr(disks, "sync_file_system", lambda path: False)
    folder.write(entries(precise, training.WAKE_WORDS), tmp_path / "out")
    at = done.index("rename")
    assert {"w1.wav", "wake-word", "whole"} <= set(done[:at])
    assert done[at + 1 :] == [tmp_path.name]


def test_a_folder_that_is_not_empty_is_refused_and_not_changed(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with refused(folder.Occupied, "not an empty folder"):
        folder.write(entries(precise, training.WAKE_WORDS), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_failure_while_writing_leaves_nothing(tmp_path):
    def gone():
        yield b"RI"
        raise LookupError("a1")

    with pytest.raises(LookupError, match="a1"):
        folder.write([entry("train.csv", b"words"), Entry("a1.wav", 4, gone())], tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        ([Entry("a.wav", 5, [b"four"])], "has 4 bytes, not 5"),
        ([entry("a.txt", b"a"), entry("a.txt", b"b")], "comes twice"),
        ([entry("../a.txt", b"a")], "leads outside"),
        ([entry("/a.txt", b"a")], "leads outside"),
    ],
)
def test_a_bad_entry_is_refused_and_leaves_nothing(tmp_path, broken, says):
    with refused(folder.BadEntry, says):
        folder.write(broken, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []

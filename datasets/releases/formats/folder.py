"""Writes entries to a folder: all of them or none, and on disk when it returns."""

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath

from accounts.refusals import Refusal
from datasets import disks


class FolderRefusal(StrEnum):
    OCCUPIED = "occupied"  # folder
    NOT_MOUNTED = "not-mounted"  # folder, mount
    OUTSIDE = "outside"  # path
    TWICE = "twice"  # path
    WRONG_SIZE = "wrong-size"  # path, found, expected


class Occupied(Refusal):
    """The folder to write to is a file, or is not empty. Its code is a FolderRefusal."""


class NotMounted(Refusal):
    """The folder is on a disk that is not there. Its code is a FolderRefusal."""


class BadEntry(Refusal):
    """An entry's path leads outside or occurs twice, or its size is not what it said: a FolderRefusal."""


@dataclass(frozen=True)
class Entry:
    """A file to write: a relative POSIX path, a size in bytes, and the bytes."""

    path: str
    size: int
    chunks: Iterable[bytes]


@dataclass(frozen=True)
class Written:
    files: int
    bytes: int


# Where systems put the disks that come and go. What is written there without one fills the system's disk.
MOUNTS = tuple(map(Path, ("/mnt", "/media", "/run/media", "/Volumes")))


def write(entries: Iterable[Entry], folder: Path) -> Written:
    """Write every entry to a folder that is absent or empty, and return how much was written.

    Everything is written to a hidden folder next to it, which is renamed at the end, so that the folder never
    has half a release. A disk that is mounted at the folder cannot be renamed to: there the hidden folder is
    inside it, and its content is moved up at the end. Raises NotMounted and Occupied before anything is read,
    and BadEntry.
    """
    folder = folder.absolute()
    _check_mounted(folder)
    if folder.exists() and not (folder.is_dir() and not any(_content(folder))):
        raise Occupied(FolderRefusal.OCCUPIED, folder=str(folder))
    is_disk = os.path.ismount(folder)
    parent = folder if is_disk else folder.parent
    with _made(parent), tempfile.TemporaryDirectory(dir=parent, prefix=f".{folder.name}.") as scratch:
        whole = Path(scratch) / "whole"
        whole.mkdir()
        written = _write_all(entries, whole)
        _sync(whole)
        if is_disk:
            _move_up(whole, folder)
        else:
            os.rename(whole, folder)
        disks.sync(parent)
    return written


def _check_mounted(folder: Path) -> None:
    """Raise NotMounted if the folder leads through the empty place of a disk that is not mounted."""
    for place in reversed((folder, *folder.parents)):
        is_below = bool(set(place.parents) & set(MOUNTS))
        if not is_below and place not in MOUNTS:
            continue
        if os.path.ismount(place) or not (_is_empty(place) or all(map(_is_place, place.iterdir()))):
            return
        if _is_empty(place) and (is_below or place == folder):
            raise NotMounted(FolderRefusal.NOT_MOUNTED, folder=str(folder), mount=str(place))


def _is_place(path: Path) -> bool:
    """Whether it is a disk, or waits for one."""
    return path.is_dir() and (os.path.ismount(path) or _is_empty(path))


def _is_empty(path: Path) -> bool:
    return not path.exists() or (path.is_dir() and not any(path.iterdir()))


def _content(folder: Path) -> Iterator[Path]:
    """Without the folder that a new file system has."""
    is_disk = os.path.ismount(folder)
    return (path for path in folder.iterdir() if not (is_disk and path.name == "lost+found"))


@contextmanager
def _made(folder: Path) -> Iterator[None]:
    """The folder and its parents, on disk; those that were missing are removed again after a failure."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for each in missing:
        disks.sync(each.parent)
    try:
        yield
    except BaseException:
        with suppress(OSError):  # someone else put something there meanwhile
            for each in missing:
                each.rmdir()
        raise


def _sync(folder: Path) -> None:
    """All files in it, and the names of its folders."""
    if not disks.sync_file_system(folder):
        for here, _folders, names in os.walk(folder):
            for name in names:
                disks.sync(os.path.join(here, name))
            disks.sync(here)


def _move_up(whole: Path, folder: Path) -> None:
    moved: list[Path] = []
    try:
        for path in list(whole.iterdir()):
            moved.append(path.rename(folder / path.name))
    except BaseException:
        for path in moved:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        raise


def _write_all(entries: Iterable[Entry], folder: Path) -> Written:
    files = size = 0
    for entry in entries:
        size += _write_one(entry, folder)
        files += 1
    return Written(files, size)


def _write_one(entry: Entry, folder: Path) -> int:
    path = folder / _inside(entry.path)
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        raise BadEntry(FolderRefusal.TWICE, path=entry.path)
    with path.open("wb") as file:
        size = sum(map(file.write, entry.chunks))
    if size != entry.size:
        raise BadEntry(FolderRefusal.WRONG_SIZE, path=entry.path, found=size, expected=entry.size)
    return size


def _inside(path: str) -> PurePosixPath:
    parts = PurePosixPath(path)
    if parts.is_absolute() or ".." in parts.parts or not parts.parts:
        raise BadEntry(FolderRefusal.OUTSIDE, path=path)
    return parts

"""Writes entries to a folder: all of them or none."""

import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath

from accounts.refusals import Refusal

from .rows import Entry


class FolderRefusal(StrEnum):
    OCCUPIED = "occupied"  # folder
    OUTSIDE = "outside"  # path
    TWICE = "twice"  # path
    WRONG_SIZE = "wrong-size"  # path, found, expected


class Occupied(Refusal):
    """The folder to write to is a file, or is not empty. Its code is a FolderRefusal."""


class BadEntry(Refusal):
    """An entry's path leads outside or occurs twice, or its size is not what it said: a FolderRefusal."""


@dataclass(frozen=True)
class Written:
    files: int
    bytes: int


def write(entries: Iterable[Entry], folder: Path) -> Written:
    """Write every entry to a folder that is absent or empty, and return how much was written.

    Everything is written to a hidden folder next to it, which is renamed at the end, so that the folder never
    has half a release. Raises Occupied before anything is read, and BadEntry.
    """
    folder = folder.absolute()
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise Occupied(FolderRefusal.OCCUPIED, folder=str(folder))
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as scratch:
        whole = Path(scratch) / "whole"
        whole.mkdir()
        written = _write_all(entries, whole)
        os.rename(whole, folder)
    return written


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
        size = sum(map(file.write, entry.chunks()))
    if size != entry.size:
        raise BadEntry(FolderRefusal.WRONG_SIZE, path=entry.path, found=size, expected=entry.size)
    return size


def _inside(path: str) -> PurePosixPath:
    parts = PurePosixPath(path)
    if parts.is_absolute() or ".." in parts.parts or not parts.parts:
        raise BadEntry(FolderRefusal.OUTSIDE, path=path)
    return parts

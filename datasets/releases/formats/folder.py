"""Entries written to a folder: all of them or none."""

import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from .rows import Entry


class Occupied(ValueError):
    """The folder to write to is a file, or holds something already."""


class Broken(ValueError):
    """An entry is not what it says: its path leads outside, comes twice, or its size is another."""


@dataclass(frozen=True)
class Written:
    files: int
    bytes: int


def write(entries: Iterable[Entry], folder: Path) -> Written:
    """Write every entry under a folder that is absent or empty, and say how much was written.

    Everything goes to a hidden folder beside it first, which takes its place at the end, so that what stands
    there is never half a release. Raises Occupied before anything is read, and Broken.
    """
    folder = folder.absolute()
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise Occupied(f"{folder} is there already and not an empty folder; name another or empty it")
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
        raise Broken(f"{entry.path} comes twice")
    with path.open("wb") as file:
        size = sum(map(file.write, entry.chunks()))
    if size != entry.size:
        raise Broken(f"{entry.path} has {size} bytes, not {entry.size}")
    return size


def _inside(path: str) -> PurePosixPath:
    parts = PurePosixPath(path)
    if parts.is_absolute() or ".." in parts.parts or not parts.parts:
        raise Broken(f"{path!r} leads outside the folder")
    return parts

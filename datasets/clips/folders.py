"""Finds the recordings in a folder and its subfolders. A subfolder that it cannot read is not passed over."""

import os
from collections.abc import Iterator
from pathlib import Path

from .sources import BadSource, FileRefused, ImportItem, ImportRefusal, SourceFault

AUDIO_NAMES = {".wav", ".wave", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".webm", ".m4a", ".mp4"}


def items(folder: Path) -> Iterator[ImportItem]:
    """Sorted by name. Raises BadSource if the folder itself cannot be read."""
    # Strings, because Path objects would take as long as reading the files.
    root = len(os.path.join(folder, ""))
    for path, fault in _paths(folder):
        if fault is not None or is_audio(os.path.basename(path)):
            yield ImportItem(_shown(path[root:]), path, fault=fault, is_folder=fault is not None)


def count_skipped(folder: Path) -> int:
    """How many files have names that are not those of audio files."""
    return sum(fault is None and not is_audio(os.path.basename(path)) for path, fault in _paths(folder))


def others(folder: Path) -> Iterator[str]:
    """The paths, relative to the folder, of files whose names are not those of audio files."""
    root = len(os.path.join(folder, ""))
    for path, fault in _paths(folder):
        if fault is None and not is_audio(os.path.basename(path)):
            yield path[root:]


def is_audio(name: str) -> bool:
    return os.path.splitext(name)[1].lower() in AUDIO_NAMES and not name.startswith(".")


def _paths(folder: Path) -> Iterator[tuple[str, FileRefused | None]]:
    """All files, and with their fault the folders that cannot be read or are links."""
    root = os.path.join(folder, "")
    unreadable: list[OSError] = []
    for here, folders, names in os.walk(root, onerror=unreadable.append):
        yield from _faults(root, unreadable)
        for name in sorted(folders):
            if os.path.islink(path := os.path.join(here, name)):
                yield path, FileRefused(ImportRefusal.LINKED_FOLDER)
        folders.sort()
        yield from ((os.path.join(here, name), None) for name in sorted(names))
    yield from _faults(root, unreadable)


def _faults(root: str, unreadable: list[OSError]) -> Iterator[tuple[str, FileRefused]]:
    while unreadable:
        error = unreadable.pop(0)
        if error.filename == root:
            raise BadSource(SourceFault.UNREADABLE, path=root, error=error.strerror)
        yield error.filename, FileRefused(ImportRefusal.UNREADABLE, error=error.strerror)


def _shown(path: str) -> str:
    """A name that can be printed: file names may contain bytes that are not UTF-8."""
    return path.encode(errors="replace").decode()

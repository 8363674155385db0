"""The files of a collection: those of a folder, or of a tar, which is read where it lies, not unpacked.

A tar may come from anywhere: names that lead out of it, links, devices and a missing end are refused.
"""

import io
import os
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import BinaryIO, Protocol

from datasets.clips import folders
from datasets.clips.sources import BadSource, FileRefused, ImportItem, ImportRefusal, SourceFault

from .seekable import Seekable

Reader = Callable[[], bytes]


class Tree(Protocol):
    """Files by their paths, relative, with slashes. `others` are all whose names are not those of sounds."""

    name: str
    others: list[str]

    def sounds(self) -> Iterator[ImportItem]: ...  # sorted by name; what cannot be looked into has a fault

    def has(self, name: str) -> bool: ...

    def close(self) -> None: ...

    def open(self, name: str) -> BinaryIO: ...  # raises BadSource

    def bound(self, item: ImportItem) -> ImportItem: ...  # so that its sound can be read


class Folder:
    """A folder on disk. Raises BadSource if it cannot be read."""

    def __init__(self, root: Path) -> None:
        self.name, self._root = str(root), root
        self.others = list(folders.others(root))

    def sounds(self) -> Iterator[ImportItem]:
        for item in folders.items(self._root):
            yield replace(item, path=os.path.relpath(item.path, self._root))

    def close(self) -> None:
        pass

    def has(self, name: str) -> bool:
        return "\0" not in name and os.path.lexists(os.path.join(self._root, name))

    def open(self, name: str) -> BinaryIO:
        try:
            return open(os.path.join(self._root, name), "rb")
        except OSError as error:
            path = os.path.join(self.name, name)
            raise BadSource(SourceFault.UNREADABLE, path=path, error=error.strerror) from error

    def bound(self, item: ImportItem) -> ImportItem:
        return replace(item, path=os.path.join(self._root, item.path))


class Tar:
    """A tar that is not compressed. To be closed after use, with its file. Raises BadSource."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self.name, self._file = name, file
        try:
            self._places = {member.name: (member.offset, member.size) for member in members(file, name)}
        except BaseException:
            self._file.close()
            raise
        self.others = [name for name in self._places if not folders.is_audio(os.path.basename(name))]

    def close(self) -> None:
        self._file.close()

    def sounds(self) -> Iterator[ImportItem]:
        for name in sorted(self._places):
            if folders.is_audio(os.path.basename(name)):
                yield ImportItem(name, name)

    def has(self, name: str) -> bool:
        return os.path.normpath(name) in self._places

    def open(self, name: str) -> BinaryIO:
        if name not in self._places:
            raise BadSource(SourceFault.MISSING, path=f"{self.name}: {name}")
        return section(self._file, *self._places[name])

    def bound(self, item: ImportItem) -> ImportItem:
        return replace(item, read=partial(self._read, os.path.normpath(item.path)))

    def _read(self, name: str) -> bytes:
        if name not in self._places:
            raise FileRefused(ImportRefusal.MISSING)
        offset, size = self._places[name]
        return read_section(self._file, offset, size)


class Member:
    """A file in a tar: its path, made plain, and where its bytes are."""

    __slots__ = ("name", "offset", "size")

    def __init__(self, name: str, offset: int, size: int) -> None:
        self.name, self.offset, self.size = name, offset, size


def members(file: BinaryIO, shown: object) -> Iterator[Member]:
    """The files of a tar, in their order. Raises BadSource; `shown` is what its messages call the tar."""
    broken = partial(BadSource, SourceFault.BROKEN_ARCHIVE, path=shown)
    end = file.seek(0, os.SEEK_END)
    file.seek(max(end - 2 * tarfile.BLOCKSIZE, 0))
    if end % tarfile.BLOCKSIZE or any(file.read()):
        raise broken(error="its end is missing, or it is not a tar, or a compressed one")
    file.seek(0)
    seen: set[str] = set()
    try:
        with tarfile.open(fileobj=file, mode="r:") as tar:
            while (member := tar.next()) is not None:
                tar.members.clear()  # type: ignore[attr-defined]  # or it keeps a kilobyte for each
                if member.isdir():
                    continue
                name = _plain(member, shown)
                if name in seen:
                    raise broken(error=f"{name} is in it twice")
                seen.add(name)
                if member.offset_data + member.size > end:
                    raise broken(error=f"{name} is cut off")
                yield Member(name, member.offset_data, member.size)
    except (tarfile.TarError, ValueError, OverflowError, UnicodeError) as error:
        raise broken(error=error) from error


def _plain(member: tarfile.TarInfo, shown: object) -> str:
    """Raises BadSource for what is not a file, or leads out of the tar."""
    name = os.path.normpath(member.name)
    is_outside = os.path.isabs(member.name) or name.startswith("../") or name in {".", ".."}
    if is_outside or "\\" in name or "\0" in name or not member.isreg() or member.sparse is not None:
        raise BadSource(SourceFault.BAD_MEMBER, path=shown, member=ascii(member.name))
    return name


def section(file: BinaryIO, offset: int, size: int) -> BinaryIO:
    """A part of a file as a file of its own, with its own position."""
    return io.BufferedReader(_Section(file, offset, size))


def read_section(file: BinaryIO, offset: int, size: int) -> bytes:
    """The bytes of a sound, unless they are too many for one."""
    if size > LARGEST:
        raise FileRefused(ImportRefusal.TOO_LARGE, megabytes=size / 2**20, most=LARGEST // 2**20)
    file.seek(offset)
    return file.read(size)


LARGEST = 64 * 2**20  # as datasets.clips.imports.LARGEST


class _Section(Seekable):
    def __init__(self, file: BinaryIO, offset: int, size: int) -> None:
        super().__init__(size)
        self._file, self._offset = file, offset

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        left = max(min(len(buffer), self._size - self._at), 0)
        self._file.seek(self._offset + self._at)
        found = self._file.read(left)
        buffer[: len(found)] = found
        self._at += len(found)
        return len(found)

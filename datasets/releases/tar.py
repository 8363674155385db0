"""The bytes of a tar around its files: headers, padding, and the parts of it that a byte range asks for."""

import tarfile
from collections.abc import Iterable, Iterator
from typing import Generic, NamedTuple, Protocol, TypeVar

BLOCK = tarfile.BLOCKSIZE
END = bytes(2 * BLOCK)


class Sized(Protocol):
    """Something that takes `size` bytes of a tar."""

    @property
    def size(self) -> int: ...


P = TypeVar("P", bound=Sized)
T = TypeVar("T")


class Part(NamedTuple, Generic[P]):
    """A piece of a tar, and which of its bytes are wanted: from `first` up to `end`."""

    piece: P
    first: int
    end: int


def cut(pieces: Iterable[P], first: int, end: int) -> Iterator[Part[P]]:
    """The pieces that hold the bytes from `first` up to `end` of all pieces in a row.

    >>> from collections import namedtuple
    >>> pieces = [namedtuple("Piece", "size")(3)] * 3
    >>> [part[1:] for part in cut(pieces, 4, 7)]
    [(1, 3), (0, 1)]
    """
    at = 0
    for piece in pieces:
        if at >= end:
            return
        if at + piece.size > first:
            yield Part(piece, max(first - at, 0), min(end - at, piece.size))
        at += piece.size


def size_of(path: str, size: int, mtime: int) -> int:
    """How many bytes a file takes in a tar.

    >>> size_of("a.wav", 513, 0)
    1536
    """
    head = BLOCK if _fits(path, size) else len(header(path, size, mtime))
    return head + size + -size % BLOCK


def padding(size: int) -> bytes:
    """What follows a file of this size, up to the next block."""
    return END[: -size % BLOCK]


def header(path: str, size: int, mtime: int) -> bytes:
    """What precedes a file in a tar: a ustar header, and pax headers before it where that is too small."""
    if not _fits(path, size):
        info = tarfile.TarInfo(path)
        info.size, info.mtime = size, mtime
        return info.tobuf(tarfile.PAX_FORMAT)
    # Built by hand, because tarfile takes as long for a header as reading a clip takes.
    name, size_and_mtime = path.encode(), b"%011o\0%011o\0" % (size, mtime)
    return b"%s%s%s%06o\0 %s" % (
        name.ljust(tarfile.LENGTH_NAME, b"\0"),
        _MODE_AND_OWNER,
        size_and_mtime,
        sum(name) + sum(size_and_mtime) + _CONSTANT_SUM,
        _AFTER_CHECKSUM,
    )


def member(path: str, content: T, size: int, mtime: int = 0) -> list[bytes | T]:
    """A file in a tar, in pieces: what precedes it, its content, and what follows it.

    >>> [len(piece) for piece in member("a.txt", b"words", 5)]
    [512, 5, 507]
    """
    return [header(path, size, mtime), content, padding(size)]


def _fits(path: str, size: int) -> bool:
    """Whether a ustar header alone can describe the file."""
    return len(path) <= tarfile.LENGTH_NAME and path.isascii() and size < 8**11


_MODE_AND_OWNER = b"0000644\x000000000\x000000000\x00"
_AFTER_CHECKSUM = (b"0" + bytes(100) + b"ustar\x0000").ljust(BLOCK - 156, b"\0")
# The constant bytes' share of the header checksum, in which the checksum field itself counts as spaces.
_CONSTANT_SUM = sum(_MODE_AND_OWNER) + sum(_AFTER_CHECKSUM) + 8 * ord(" ")

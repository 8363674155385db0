"""A release in one format as a tar, from any byte on, straight from the vault.

No second copy of a voice exists: an archive is first planned, which reads the rows and no sound, and then
made piece by piece while it is sent. A piece that nobody asked for is passed over by its size, so a Range in
the middle costs the plan and what lies in it. What was withdrawn is in no plan; what is withdrawn later
breaks the stream off before its first byte.
"""

import hashlib
import logging
import os
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from typing import NamedTuple, Self

from accounts import quarters
from accounts.keys import KeyLost

from . import releases, vault
from .asides import List, Text
from .formats import package
from .formats.rows import Entry, Format, Row
from .models import Release

logger = logging.getLogger(__name__)

BLOCK = tarfile.BLOCKSIZE
END = bytes(2 * BLOCK)
# So many sounds are asked for together, and about so many bytes.
SOUNDS, BYTES = 64, 4 * 2**20
FRESH = 1.0  # seconds; for so long it counts that they may be handed out
HASHED, SMALL = 8, 4_096  # sounds hashed together; bytes too few to be sent by themselves
GONE = (releases.Withdrawn, KeyLost, FileNotFoundError)

_DIGEST = hashlib.sha256().digest_size


class Item(NamedTuple):
    """One file of an archive. `sound` is the id of its row; a text has a digest already, and its place."""

    path: str
    size: int
    sound: str = ""
    digest: bytes = b""
    text: int = 0


class Piece(NamedTuple):
    """So many bytes, made when they are wanted."""

    size: int
    make: Callable[[], bytes]


class Archive:
    """A release in one format as it may be handed out now. To be closed after use.

    Raises formats.rows.Unfit, when the format cannot hold this release, and accounts.keys.KeyLost.
    """

    def __init__(self, release: Release, form: Format) -> None:
        self.release, self.form = release, form
        # Made on a day, but nothing tells which: no time finer than a quarter.
        self._head = partial(_head, mtime=int(quarters.start(release.published_at).timestamp()))
        self._open = ExitStack()
        try:
            self._texts: list[Text] = []
            self._items: List[Item] = self._open.enter_context(List())
            self._digests = self._open.enter_context(tempfile.TemporaryFile())  # noqa: SIM115
            self._hasher = self._open.enter_context(ThreadPoolExecutor(1))
            self._hashing: list[Future[None]] = []
            self._to_hash: list[tuple[int, bytes]] = []
            self._plan()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self._open.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def entries(self) -> Iterator[Entry]:
        """Every file, to be read in this order, if at all."""
        for number, group in enumerate(self._groups()):
            yield from self._sound_entries(number, group) if group[0].sound else self._text_entries(group)
        yield Entry(package.CHECKSUMS, self.checksums, self._checksums)

    def stream(self, first: int = 0, last: int | None = None) -> Iterator[bytes]:
        """The tar's bytes from `first` to `last`, both counted from 0 and within it.

        Breaks off with one of GONE, and says so in the log, when a clip was withdrawn meanwhile.
        """
        end = self.size if last is None else last + 1
        sent = first
        try:
            for part in _cut(self._pieces(hashing=end > self._before_checksums), first, end):
                yield part
                sent += len(part)
        except GONE as reason:
            said = "archive of %s in %s broken off at byte %s of %s: %s"
            logger.warning(said, self.release.slug, self.form.NAME, sent, self.size, reason)
            raise

    def _plan(self) -> None:
        """Pass over the rows of now, and lay aside what the archive will hold."""
        tag = hashlib.sha256()
        self.clips = self.checksums = at = 0
        self.files = 1  # with the checksums, which come last
        with List[Row]() as rows:
            for row in releases.rows(self.release):
                rows.append(row)
            for entry in package.files(self.form, releases.about(self.release), rows.__iter__, _unread):
                item = Item(entry.path, entry.size, entry.sound) if entry.sound else self._write(entry)
                self._items.append(item)
                self.files += 1
                self.clips += bool(item.sound)
                self.checksums += len(package.checksum(bytes(_DIGEST), item.path))
                at += len(self._head(item.path, item.size)) + _padded(item.size)
                # All of its bytes: texts by their hash, and a sound by the row, whose sound never changes.
                tag.update(f"{item.path}\0{item.size}\0{item.sound}\0{item.digest.hex()}\n".encode())
        self.etag = f'"{tag.hexdigest()[:32]}"'
        self._before_checksums = at
        self.size = at + len(self._head(package.CHECKSUMS, self.checksums)) + _padded(self.checksums)
        self.size += len(END)

    def _write(self, entry: Entry) -> Item:
        text, digest = self._open.enter_context(Text()), hashlib.sha256()
        for chunk in entry.chunks():
            text.write(chunk)
            digest.update(chunk)
        text.end()
        self._texts.append(text)
        return Item(entry.path, text.size, digest=digest.digest(), text=len(self._texts) - 1)

    def _pieces(self, hashing: bool) -> Iterator[Piece]:
        """The whole archive; with `hashing`, what is made leaves its digest for the checksums."""
        for number, group in enumerate(self._groups()):
            sounds = _Sounds(self.release, group)
            for place, item in enumerate(group):
                body: Iterable[Piece] = self._text_pieces(item)
                if item.sound:
                    keep = partial(self._hashed, number, place, sounds)
                    body = (Piece(item.size, keep if hashing else partial(sounds.read, place)),)
                yield from _framed(self._head(item.path, item.size), item.size, body)
        head = self._head(package.CHECKSUMS, self.checksums)
        yield from _framed(head, self.checksums, self._checksum_pieces())
        yield Piece(len(END), lambda: END)

    def _hashed(self, number: int, place: int, sounds: "_Sounds") -> bytes:
        """A sound; its digest is taken by another thread, while this one sends it and reads the next."""
        sound = sounds.read(place)
        self._to_hash.append((number * SOUNDS + place, sound))
        if len(self._to_hash) == HASHED:
            self._hash()
        return sound

    def _hash(self) -> None:
        if self._hashing:
            self._hashing.pop().result()
        self._hashing.append(self._hasher.submit(self._keep_digests, self._to_hash))
        self._to_hash = []

    def _groups(self) -> Iterator[list[Item]]:
        """The files in their order; those whose sounds are asked for together stand together."""
        group: list[Item] = []
        size = 0
        for item in self._items:
            if group and (not item.sound or not group[0].sound or len(group) == SOUNDS or size >= BYTES):
                yield group
                group, size = [], 0
            group.append(item)
            size += item.size
        if group:
            yield group

    def _sound_entries(self, number: int, group: list[Item]) -> Iterator[Entry]:
        sounds = _Sounds(self.release, group)
        for place, item in enumerate(group):
            read = partial(self._hashed, number, place, sounds)
            yield Entry(item.path, item.size, partial(_one, read), item.sound)

    def _text_entries(self, group: list[Item]) -> Iterator[Entry]:
        return (Entry(item.path, item.size, partial(self._blocks, item)) for item in group)

    def _text_pieces(self, item: Item) -> Iterator[Piece]:
        text = self._texts[item.text]
        for number in range(len(text)):
            yield Piece(text.size_of(number), partial(text.get, number))

    def _blocks(self, item: Item) -> Iterator[bytes]:
        return map(self._texts[item.text].get, range(len(self._texts[item.text])))

    def _checksum_pieces(self) -> Iterator[Piece]:
        for number, group in enumerate(self._groups()):
            size = sum(len(package.checksum(bytes(_DIGEST), item.path)) for item in group)
            yield Piece(size, partial(self._checksum_lines, number, group))

    def _checksum_lines(self, number: int, group: list[Item]) -> bytes:
        digests = [item.digest for item in group] if not group[0].sound else self._digests_of(number, group)
        lines = zip(digests, group, strict=True)
        return b"".join(package.checksum(digest, item.path) for digest, item in lines)

    def _checksums(self) -> Iterator[bytes]:
        return (piece.make() for piece in self._checksum_pieces())

    def _keep_digests(self, sounds: Iterable[tuple[int, bytes]]) -> None:
        """On disk, at the places of the sounds: of ten million clips they are 320 MB."""
        for place, sound in sounds:
            os.pwrite(self._digests.fileno(), hashlib.sha256(sound).digest(), place * _DIGEST)

    def _digests_of(self, number: int, group: list[Item]) -> list[bytes]:
        """Those of a group of sounds; what was passed over is read now."""
        self._hash()
        self._hashing.pop().result()
        first = number * SOUNDS
        kept = os.pread(self._digests.fileno(), len(group) * _DIGEST, first * _DIGEST)
        digests = [kept[at : at + _DIGEST] for at in range(0, len(group) * _DIGEST, _DIGEST)]
        if all(map(any, digests)):
            return digests
        sounds = _Sounds(self.release, group)
        return [hashlib.sha256(sounds.read(place)).digest() for place in range(len(group))]


class _Sounds:
    """The sounds of a group of files, read one by one. Whether they may be had is asked for all that are left
    when one is wanted, and anew when the last answer is old: who takes them may be slow."""

    def __init__(self, release: Release, group: list[Item]) -> None:
        self._release, self._group = release, group
        self._places: list[tuple[str, bytes]] = []
        self._until = 0.0

    def read(self, place: int) -> bytes:
        """Raises one of GONE."""
        if time.monotonic() >= self._until:
            left = [item.sound for item in self._group[place:]]
            self._places = releases.places(self._release, left)
            self._until = time.monotonic() + FRESH
        sound = vault.opened(*self._places[place - len(self._group)])
        if len(sound) != self._group[place].size:
            raise releases.Withdrawn(f"{self._group[place].sound} is of another size than it was")
        return sound


def _one(read: Callable[[], bytes]) -> Iterator[bytes]:
    yield read()


def _unread(row: Row) -> bytes:
    raise AssertionError(f"the sound of {row.id} was read while its archive was planned")


def _cut(pieces: Iterable[Piece], first: int, end: int) -> Iterator[bytes]:
    """The bytes from `first` up to `end` of all pieces in a row; no other piece is made.

    >>> list(_cut([Piece(3, lambda: b"one"), Piece(3, lambda: 1 / 0), Piece(3, lambda: b"six")], 7, 9))
    [b'ix']
    """
    at, small = 0, bytearray()
    for piece in pieces:
        if at >= end:
            break
        if at + piece.size > first:
            part = piece.make()[max(first - at, 0) : end - at]
            if len(part) < SMALL:
                small += part
            else:
                # As it is, because copying a sound takes as long as reading it.
                if small:
                    yield bytes(small)
                    small.clear()
                yield part
        at += piece.size
    if small:
        yield bytes(small)


def _framed(head: bytes, size: int, body: Iterable[Piece]) -> Iterator[Piece]:
    yield Piece(len(head), lambda: head)
    yield from body
    yield Piece(-size % BLOCK, lambda: bytes(-size % BLOCK))


def _padded(size: int) -> int:
    """
    >>> _padded(513)
    1024
    """
    return size + -size % BLOCK


def _head(path: str, size: int, mtime: int) -> bytes:
    """What stands before a file in a tar: a ustar header, by pax ones where it does not fit."""
    name = path.encode()
    if len(name) > tarfile.LENGTH_NAME or not path.isascii() or size >= 8**11:
        info = tarfile.TarInfo(path)
        info.size, info.mtime = size, mtime
        return info.tobuf(tarfile.PAX_FORMAT)
    # By hand, because Python's own takes as long as reading a clip.
    head = b"%s0000644\0000000000\0000000000\0%011o\0%011o\0        0%s" % (
        name.ljust(tarfile.LENGTH_NAME, b"\0"),
        size,
        mtime,
        _REST,
    )
    return b"%s%06o\0%s" % (head[:148], sum(head), head[155:])


_REST = (bytes(100) + b"ustar\x0000").ljust(BLOCK - 157, b"\0")

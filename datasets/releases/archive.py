"""A release in one format as a tar, from any byte on, straight from the vault.

No second copy of a voice exists: an archive is first planned, which reads the rows and no sound, and then
made piece by piece while it is sent. A piece that nobody asked for is passed over by its size, so a Range in
the middle costs the plan and what lies in it. What was withdrawn is in no plan; what is withdrawn later
breaks the stream off before its first byte.

Sounds are read and opened some ahead of what is sent, by another thread: most of that is work in C beside
which Python goes on. The database is asked by the caller's thread alone, which has the connection.
"""

import hashlib
import logging
import os
import tarfile
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from itertools import chain, islice
from typing import NamedTuple, Self

from accounts import quarters
from accounts.keys import KeyLost
from datasets.clips import vault
from datasets.models import Release

from . import frozen
from .formats import package
from .formats.rows import Entry, Format, Row
from .scratch import List, Text

logger = logging.getLogger(__name__)

BLOCK = tarfile.BLOCKSIZE
END = bytes(2 * BLOCK)
# So many sounds are asked for together, and about so many bytes.
SOUNDS, BYTES = 64, 4 * 2**20
HELD = 8_000  # rows in memory while it is planned; those beyond are laid aside, which takes longer
FRESH = 1.0  # seconds; for so long it counts that they may be handed out
SENT = 2**19  # bytes that are handed to the server together, or some more
AHEAD = 4  # so many of these are made ahead of what was sent
GONE = (frozen.Withdrawn, KeyLost, FileNotFoundError)

_DIGEST = hashlib.sha256().digest_size


class Item(NamedTuple):
    """One file of an archive. `sound` is the id of its row; a text has a digest already, and its place."""

    path: str
    size: int
    sound: str = ""
    digest: bytes = b""
    text: int = 0


class Piece(NamedTuple):
    """So many bytes, made when they are wanted: by `make`, or the file of the sound at a place of a group."""

    size: int
    make: Callable[[], bytes] = bytes
    sounds: "_Sounds | None" = None
    place: int = 0


class Part(NamedTuple):
    """A piece, and which of its bytes are wanted."""

    piece: Piece
    first: int
    end: int


class Archive:
    """A release in one format as it may be handed out now. To be closed after use.

    Raises formats.rows.Unfit, when the format cannot hold this release, and accounts.keys.KeyLost.
    """

    def __init__(self, release: Release, form: Format) -> None:
        self.release, self.form = release, form
        # Made on a day, but nothing tells which: no time finer than a quarter.
        made_on = int(quarters.start(release.published_at).timestamp())
        self._head, self._room = partial(_head, mtime=made_on), partial(_room, mtime=made_on)
        self._open = ExitStack()
        try:
            self._texts: list[Text] = []
            self._items: List[Item] = self._open.enter_context(List())
            self._digests = self._open.enter_context(tempfile.TemporaryFile())  # noqa: SIM115
            # One thread, because two spend more on waiting for each other than they give.
            self._pool = ThreadPoolExecutor(1)
            self._open.callback(self._pool.shutdown, cancel_futures=True)
            self._buffers: list[bytearray] = []
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
            batches = _together(_wanted(self._pieces(), first, end))
            for part in _ahead(self._begun(batches, hashing=end > self._before_checksums)):
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
        with List[Row]() as more:
            rows = frozen.rows(self.release)
            first = list(islice(rows, HELD))
            for row in rows:
                more.append(row)
            every = partial(chain, first, more)
            for entry in package.files(self.form, frozen.about(self.release), every, _unread):
                item = Item(entry.path, entry.size, entry.sound) if entry.sound else self._write(entry)
                self._items.append(item)
                self.files += 1
                self.clips += bool(item.sound)
                self.checksums += len(package.checksum(bytes(_DIGEST), item.path))
                at += self._room(item.path, item.size)
                # All of its bytes: texts by their hash, and a sound by the row, whose sound never changes.
                tag.update(f"{item.path}\0{item.size}\0{item.sound}\0{item.digest.hex()}\n".encode())
        self.etag = f'"{tag.hexdigest()[:32]}"'
        self._before_checksums = at
        self.size = at + self._room(package.CHECKSUMS, self.checksums) + len(END)

    def _write(self, entry: Entry) -> Item:
        text, digest = self._open.enter_context(Text()), hashlib.sha256()
        for chunk in entry.chunks():
            text.write(chunk)
            digest.update(chunk)
        text.end()
        self._texts.append(text)
        return Item(entry.path, text.size, digest=digest.digest(), text=len(self._texts) - 1)

    def _pieces(self) -> Iterator[Piece]:
        """The whole archive."""
        for number, group in enumerate(self._groups()):
            if group[0].sound:
                sounds = _Sounds(self.release, number, group)
                for place, item in enumerate(group):
                    yield Piece(self._room(item.path, item.size), sounds=sounds, place=place)
                continue
            for item in group:
                yield from _framed(self._head(item.path, item.size), item.size, self._text_pieces(item))
        head = self._head(package.CHECKSUMS, self.checksums)
        yield from _framed(head, self.checksums, self._checksum_pieces())
        yield Piece(len(END), lambda: END)

    def _begun(self, batches: Iterable[list[Part]], hashing: bool) -> Iterator[Callable[[], bytes]]:
        """What gives the bytes of each batch. Those of sounds are made from when it comes out of here; with
        `hashing`, they leave their digests for the checksums, which are made when they are asked for."""
        for batch in batches:
            piece = batch[0].piece
            if piece.sounds is None:
                yield partial(_joined, batch)
                continue
            places = piece.sounds.places(piece.place)
            buffer = self._buffer(sum(part.piece.size for part in batch))
            made = self._pool.submit(self._files, piece.sounds, batch, places, buffer, hashing)
            yield partial(self._taken, piece.sounds, piece.place, made, buffer)

    def _buffer(self, size: int) -> bytearray:
        """One of at least this size. They are used again and again, because new memory costs the kernel as
        much as opening a sound."""
        buffer = self._buffers.pop() if self._buffers else bytearray(SENT)
        return buffer if len(buffer) >= size else bytearray(size)

    def _taken(self, sounds: "_Sounds", place: int, made: Future[memoryview], buffer: bytearray) -> bytes:
        """What was made of the sounds from this place on, if they may still be had. Raises one of GONE."""
        part = made.result()
        sounds.places(place)
        self._buffers.append(buffer)
        return bytes(part)

    def _files(
        self,
        sounds: "_Sounds",
        batch: list[Part],
        places: Sequence[tuple[str, bytes]],
        buffer: bytearray,
        hashing: bool,
    ) -> memoryview:
        """Some files with sounds, one after another in a buffer, as in the tar. No database here."""
        digests: list[bytes] = []
        first, last = batch[0], batch[-1]
        whole, at = memoryview(buffer), 0
        for place, where in zip(range(first.piece.place, last.piece.place + 1), places, strict=False):
            item = sounds.group[place]
            head = self._head(item.path, item.size)
            begin, end = at + len(head), at + len(head) + item.size
            at = end + -item.size % BLOCK
            whole[begin - len(head) : begin], whole[end:at] = head, _padding(item.size)
            digests.append(sounds.read_into(whole[begin:end], place, where, hashing))
        if hashing:
            self._keep_digests(sounds.number, first.piece.place, digests)
        return whole[first.first : at - last.piece.size + last.end]

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
        sounds = _Sounds(self.release, number, group)
        for place, item in enumerate(group):
            yield Entry(item.path, item.size, partial(self._sound, sounds, place), item.sound)

    def _sound(self, sounds: "_Sounds", place: int) -> Iterator[bytes]:
        sound, digest = sounds.read(place, sounds.places(place)[0])
        self._keep_digests(sounds.number, place, [digest])
        yield sound

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

    def _keep_digests(self, number: int, place: int, digests: list[bytes]) -> None:
        """On disk, at the places of the sounds: of ten million clips they are 320 MB."""
        os.pwrite(self._digests.fileno(), b"".join(digests), (number * SOUNDS + place) * _DIGEST)

    def _digests_of(self, number: int, group: list[Item]) -> list[bytes]:
        """Those of a group of sounds; what was passed over is read now."""
        first = number * SOUNDS
        kept = os.pread(self._digests.fileno(), len(group) * _DIGEST, first * _DIGEST)
        digests = [kept[at : at + _DIGEST] for at in range(0, len(group) * _DIGEST, _DIGEST)]
        if all(map(any, digests)):
            return digests
        sounds = _Sounds(self.release, number, group)
        return [sounds.read(place, where)[1] for place, where in enumerate(sounds.places(0))]


class _Sounds:
    """The sounds of a group of files. Whether they may be had is asked for all that are left when one is
    wanted, and anew when the last answer is old: who takes them may be slow."""

    def __init__(self, release: Release, number: int, group: list[Item]) -> None:
        self.number, self.group = number, group
        self._release = release
        self._places: list[tuple[str, bytes]] = []
        self._until = 0.0

    def places(self, place: int) -> list[tuple[str, bytes]]:
        """Where those lie that are left from a place on, and their keys. Raises one of GONE."""
        asked = time.monotonic()
        if asked >= self._until:
            self._places = frozen.places(self._release, [item.sound for item in self.group[place:]])
            self._until = asked + FRESH
        return self._places[place - len(self.group) :]

    def read(self, place: int, where: tuple[str, bytes]) -> tuple[bytes, bytes]:
        """A sound, from where `places` said, and its digest. No database here. Raises one of GONE."""
        room = bytearray(self.group[place].size)
        digest = self.read_into(memoryview(room), place, where, hashing=True)
        return bytes(room), digest

    def read_into(self, room: memoryview, place: int, where: tuple[str, bytes], hashing: bool) -> bytes:
        """The same into as many bytes as the sound has; its digest, where one is stored or with `hashing`."""
        try:
            digest = vault.open_into(room, *where)
        except vault.OtherSize:
            raise frozen.Withdrawn(f"{self.group[place].sound} is of another size than it was") from None
        return hashlib.sha256(room).digest() if hashing and not digest else digest


def _unread(row: Row) -> bytes:
    raise AssertionError(f"the sound of {row.id} was read while its archive was planned")


def _wanted(pieces: Iterable[Piece], first: int, end: int) -> Iterator[Part]:
    """The pieces that hold the bytes from `first` up to `end` of all pieces in a row.

    >>> [part[1:] for part in _wanted([Piece(3), Piece(3), Piece(3)], 4, 7)]
    [(1, 3), (0, 1)]
    """
    at = 0
    for piece in pieces:
        if at >= end:
            return
        if at + piece.size > first:
            yield Part(piece, max(first - at, 0), min(end - at, piece.size))
        at += piece.size


def _together(parts: Iterable[Part]) -> Iterator[list[Part]]:
    """What is made and sent together: sounds of one group, or no sounds."""
    batch: list[Part] = []
    size = 0
    for part in parts:
        if batch and (size >= SENT or part.piece.sounds is not batch[0].piece.sounds):
            yield batch
            batch, size = [], 0
        batch.append(part)
        size += part.piece.size
    if batch:
        yield batch


def _joined(batch: list[Part]) -> bytes:
    return b"".join(part.piece.make()[part.first : part.end] for part in batch)


def _ahead(begun: Iterable[Callable[[], bytes]]) -> Iterator[bytes]:
    """What they give, in their order; some more are begun than were asked for."""
    waiting: deque[Callable[[], bytes]] = deque()
    for give in begun:
        waiting.append(give)
        if len(waiting) > AHEAD:
            yield waiting.popleft()()
    while waiting:
        yield waiting.popleft()()


def _framed(head: bytes, size: int, body: Iterable[Piece]) -> Iterator[Piece]:
    yield Piece(len(head), lambda: head)
    yield from body
    yield Piece(-size % BLOCK, lambda: _padding(size))


def _padding(size: int) -> bytes:
    return END[: -size % BLOCK]


def _room(path: str, size: int, mtime: int) -> int:
    """How many bytes a file takes in a tar.

    >>> _room("a.wav", 513, 0)
    1536
    """
    head = BLOCK if _fits(path, size) else len(_head(path, size, mtime))
    return head + size + -size % BLOCK


def _fits(path: str, size: int) -> bool:
    """Into a ustar header by itself?"""
    return len(path) <= tarfile.LENGTH_NAME and path.isascii() and size < 8**11


def _head(path: str, size: int, mtime: int) -> bytes:
    """What stands before a file in a tar: a ustar header, by pax ones where it does not fit."""
    if not _fits(path, size):
        info = tarfile.TarInfo(path)
        info.size, info.mtime = size, mtime
        return info.tobuf(tarfile.PAX_FORMAT)
    # By hand, because Python's own takes as long as reading a clip.
    name, varies = path.encode(), b"%011o\0%011o\0" % (size, mtime)
    return b"%s%s%s%06o\0 %s" % (
        name.ljust(tarfile.LENGTH_NAME, b"\0"),
        _OWNER,
        varies,
        sum(name) + sum(varies) + _ALWAYS,
        _REST,
    )


_OWNER = b"0000644\x000000000\x000000000\x00"
_REST = (b"0" + bytes(100) + b"ustar\x0000").ljust(BLOCK - 156, b"\0")
# Of the sum of all bytes, in which those of the sum itself count as spaces.
_ALWAYS = sum(_OWNER) + sum(_REST) + 8 * ord(" ")

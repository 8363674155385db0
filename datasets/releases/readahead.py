"""The bytes of an archive's pieces, made a little ahead of what was sent.

A second thread reads and decrypts sounds; most of that is C code, during which the first thread can run. Only
the caller's thread queries the database, because the connection belongs to it. Just before a sound is sent,
it checks again whether the sound may still be handed out; if not, silence is sent.
"""

import hashlib
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import NamedTuple, Self

from datasets.models import Release

from . import frozen, sound_files, tar
from .plan import DIGEST, Group, Plan
from .sound_files import LOST, Sound

BATCH_BYTES = 2**19  # sent together; the last piece of a batch may exceed it
BATCHES_AHEAD = 4
LIVE_CHECK_SECONDS = 1.0  # how long a check that sounds may be handed out is good for


class Sounds:
    """The sounds of a group of files, each at a position from 0.

    One query says which of them may be handed out. It is repeated when its answer is too old, because the
    reader may be slow.
    """

    def __init__(self, release: Release, group: Group) -> None:
        self.group = group
        self._release = release
        self._sounds: list[Sound] = []
        self._valid_until = 0.0

    def at(self, position: int) -> Sound:
        """As it was when it was last asked for."""
        return self._sounds[position]

    def check(self) -> None:
        """Ask which of them may be handed out, unless the answer is still good."""
        if time.monotonic() >= self._valid_until:
            self.ask()

    def ask(self) -> None:
        self._sounds = frozen.sounds(self._release, [file.sound for file in self.group.files])
        self._valid_until = time.monotonic() + LIVE_CHECK_SECONDS

    def read(self, position: int) -> tuple[bytes, bytes]:
        """The file and the digest of the file as it was published. Raises one of LOST."""
        self.check()
        buffer = memoryview(bytearray(self.group.files[position].size))
        try:
            digest = self.fill(buffer, position, self.at(position), hashing=True)
        except LOST:
            self.ask()
            digest = self.fill(buffer, position, self.at(position), hashing=True)
        self.check()
        if not self.at(position).may_be_sent:
            self.silence(buffer, position)
        return bytes(buffer), digest

    def fill(self, buffer: memoryview, position: int, sound: Sound, hashing: bool) -> bytes:
        """Fills the buffer, which is as long as the file, with the sound, or with silence if it may not be
        sent.

        Returns the digest of the file as it was published, so that the checksums do not say either when
        someone left; it may be empty without `hashing`. No database here; raises one of LOST.
        """
        mark = self._mark(position)
        if sound.may_be_sent:
            return sound_files.read_into(buffer, sound, mark, hashing)
        digest = sound_files.digest(sound, len(buffer), mark) if hashing else b""
        self.silence(buffer, position)
        return hashlib.sha256(buffer).digest() if hashing and not digest else digest

    def silence(self, buffer: memoryview, position: int) -> None:
        sound_files.silence_into(buffer, self._mark(position))

    def _mark(self, position: int) -> bytes:
        return sound_files.mark(self._release, self.group.files[position].sound)


class Piece(NamedTuple):
    """Some bytes of an archive: what `make` returns, or the file of the sound at `position` of `sounds`."""

    size: int
    make: Callable[[], bytes] = bytes
    sounds: Sounds | None = None
    position: int = 0


Part = tar.Part[Piece]


class ReadAhead:
    """Makes the bytes of pieces, several batches ahead. To be closed after use."""

    def __init__(self, plan: Plan) -> None:
        self._mtime, self._digests = plan.mtime, plan.digests
        # One thread: two spend more time waiting for each other than they save.
        self._pool = ThreadPoolExecutor(1)
        self._buffers: list[bytearray] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def read(self, parts: Iterable[Part], hashing: bool) -> Iterator[bytes]:
        """The bytes of the parts, in their order. With `hashing`, the digest of each sound is kept."""
        waiting: deque[Callable[[], bytes]] = deque()
        for batch in _batches(parts):
            waiting.append(self._start(batch, hashing))
            if len(waiting) > BATCHES_AHEAD:
                yield waiting.popleft()()
        while waiting:
            yield waiting.popleft()()

    def _start(self, batch: list[Part], hashing: bool) -> Callable[[], bytes]:
        """Starts to read the sounds of a batch, and returns a function that waits for the bytes. Pieces
        without sound are made in that function, because the checksums need the digests of earlier sounds."""
        sounds = batch[0].piece.sounds
        if sounds is None:
            return partial(_joined, batch)
        sounds.check()
        found = [sounds.at(part.piece.position) for part in batch]
        buffer = self._buffer(sum(part.piece.size for part in batch))
        reading = self._pool.submit(self._fill, buffer, sounds, batch, found, hashing)
        return partial(self._finish, reading, sounds, buffer)

    def _finish(self, reading: Future["_Read"], sounds: Sounds, buffer: bytearray) -> bytes:
        """The bytes of a batch, with silence for sounds that may not be handed out any more. Raises one of
        LOST."""
        read = reading.result()
        sounds.check()
        if any(place.lost for place in read.places):
            sounds.ask()  # an erasure marks a clip before it destroys its file
        for place in read.places:
            if not sounds.at(place.position).may_be_sent:
                sounds.silence(place.buffer, place.position)
            elif place.lost:
                raise place.lost
        self._buffers.append(buffer)
        return bytes(read.content)

    def _buffer(self, size: int) -> bytearray:
        """One of at least this size. Buffers are reused, because allocating memory takes the kernel as long
        as decrypting a sound."""
        buffer = self._buffers.pop() if self._buffers else bytearray(BATCH_BYTES)
        return buffer if len(buffer) >= size else bytearray(size)

    def _fill(
        self, buffer: bytearray, sounds: Sounds, batch: list[Part], found: list[Sound], hashing: bool
    ) -> "_Read":
        """The files of a batch, as in the tar. Runs in the second thread: no database here."""
        digests: list[bytes] = []
        places: list[_Place] = []
        first, last = batch[0], batch[-1]
        whole, at = memoryview(buffer), 0
        for part, sound in zip(batch, found, strict=True):
            position = part.piece.position
            file = sounds.group.files[position]
            head = tar.header(file.path, file.size, self._mtime)
            start = at + len(head)
            end = start + file.size
            whole[at:start] = head
            lost, digest = None, bytes(DIGEST)
            try:
                digest = sounds.fill(whole[start:end], position, sound, hashing)
            except LOST as reason:
                lost = reason
            digests.append(digest)
            places.append(_Place(position, whole[start:end], lost))
            padding = tar.padding(file.size)
            at = end + len(padding)
            whole[end:at] = padding
        if hashing:
            self._digests.keep(sounds.group, first.piece.position, digests)
        return _Read(whole[first.first : at - last.piece.size + last.end], places)


class _Place(NamedTuple):
    """Where the sound at this position was read to, or why it could not be read."""

    position: int
    buffer: memoryview
    lost: Exception | None


class _Read(NamedTuple):
    content: memoryview
    places: list[_Place]


def _batches(parts: Iterable[Part]) -> Iterator[list[Part]]:
    """What is made and sent together: sounds of one group, or no sounds."""
    batch: list[Part] = []
    size = 0
    for part in parts:
        if batch and (size >= BATCH_BYTES or part.piece.sounds is not batch[0].piece.sounds):
            yield batch
            batch, size = [], 0
        batch.append(part)
        size += part.piece.size
    if batch:
        yield batch


def _joined(batch: list[Part]) -> bytes:
    return b"".join(part.piece.make()[part.first : part.end] for part in batch)

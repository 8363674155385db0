"""The bytes of an archive's stretches, made a little ahead of what was sent.

A second thread reads and decrypts sounds; most of that is C code, during which the first thread can run. Only
the caller's thread queries the database, because the connection belongs to it. Just before a sound is sent,
it checks again whether the sound may still be handed out; if not, silence is sent.
"""

import hashlib
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import NamedTuple, Self

from accounts.models import Purpose
from datasets.models import Release

from . import frozen, sound_files
from .digests import Digests
from .formats.rows import Row
from .sound_files import LOST, Sound

BATCH_BYTES = 2**19  # sent together; the last piece of a batch may exceed it
BATCHES_AHEAD = 4
GROUP_SOUNDS = 250  # are looked up together
LIVE_CHECK_SECONDS = 1.0  # how long a check that sounds may be handed out is good for


class Sounds:
    """The sounds of some rows, each at a position from 0.

    One query says which of them may be handed out. It is repeated when its answer is too old, because the
    reader may be slow.
    """

    def __init__(self, release: Release, rows: Sequence[Row], purpose: Purpose | None) -> None:
        self._release, self._rows, self._purpose = release, rows, purpose
        self._sounds: list[Sound] = []
        self._valid_until = 0.0

    def size(self, position: int) -> int:
        return self._rows[position].size

    def at(self, position: int) -> Sound:
        """As it was when it was last asked for."""
        return self._sounds[position]

    def check(self) -> None:
        """Ask which of them may be handed out, unless the answer is still good."""
        if time.monotonic() >= self._valid_until:
            self.ask()

    def ask(self) -> None:
        self._sounds = frozen.sounds(self._release, [row.id for row in self._rows], self._purpose)
        self._valid_until = time.monotonic() + LIVE_CHECK_SECONDS

    def read(self, position: int) -> tuple[bytes, bytes]:
        """The file and the digest of the file as it was published. Raises one of LOST."""
        self.check()
        buffer = memoryview(bytearray(self.size(position)))
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
        return sound_files.mark(self._release, self._rows[position].id)


class Piece(NamedTuple):
    """Some bytes: `data`, or the file of the sound at `position` of `sounds`. Sent from `first` up to `end`.

    `clip` is its number among the archive's files, if it is a file by itself. `file` is the number of the
    file that the bytes are of, `offset` their place in it; or -1.
    """

    size: int
    data: bytes = b""
    sounds: Sounds | None = None
    position: int = 0
    first: int = 0
    end: int = 0
    clip: int = -1
    file: int = -1
    offset: int = 0


# What follows it is made only once everything before it was sent: checksums, from digests.
WAIT = Piece(0, file=-2)


class ReadAhead:
    """Makes the bytes of pieces, several batches ahead. To be closed after use."""

    def __init__(self, digests: Digests, size_of_file: Callable[[int], int]) -> None:
        self._digests = digests
        self._hashed = _Hashed(digests, size_of_file)
        # One thread: two spend more time waiting for each other than they save.
        self._pool = ThreadPoolExecutor(1)
        self._buffers: list[bytearray] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def read(self, pieces: Iterable[Piece], hashing: bool) -> Iterator[bytes]:
        """The bytes of the pieces, in their order. With `hashing`, the digest of each file is kept."""
        waiting: deque[Callable[[], bytes]] = deque()
        for batch in _batches(pieces):
            if not waiting and not any(piece.sounds for piece in batch):
                yield self._joined(batch, hashing)  # nothing to wait for
            elif batch != [WAIT]:
                waiting.append(self._start(batch, hashing))
            while len(waiting) > (0 if batch == [WAIT] else BATCHES_AHEAD):
                yield waiting.popleft()()
        while waiting:
            yield waiting.popleft()()

    def _start(self, batch: list[Piece], hashing: bool) -> Callable[[], bytes]:
        """Starts to read the sounds of a batch, and returns a function that waits for the bytes."""
        sounds = next((piece.sounds for piece in batch if piece.sounds), None)
        if sounds is None:
            return partial(self._joined, batch, hashing)
        sounds.check()
        found = [sounds.at(piece.position) if piece.sounds else None for piece in batch]
        buffer = self._buffer(sum(piece.size for piece in batch))
        reading = self._pool.submit(self._fill, buffer, batch, found, hashing)
        return partial(self._finish, reading, sounds, buffer, batch, hashing)

    def _joined(self, batch: list[Piece], hashing: bool) -> bytes:
        if hashing:
            for piece in batch:
                self._hashed.add(piece, memoryview(piece.data))
        return b"".join(piece.data[piece.first : piece.end] for piece in batch)

    def _finish(
        self, reading: Future["_Read"], sounds: Sounds, buffer: bytearray, batch: list[Piece], hashing: bool
    ) -> bytes:
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
        if hashing:
            at = 0
            for piece in batch:
                self._hashed.add(piece, read.whole[at : at + piece.size])
                at += piece.size
        first, last = batch[0], batch[-1]
        content = bytes(read.whole[first.first : len(read.whole) - last.size + last.end])
        self._buffers.append(buffer)
        return content

    def _buffer(self, size: int) -> bytearray:
        """One of at least this size. Buffers are reused, because allocating memory takes the kernel as long
        as decrypting a sound."""
        buffer = self._buffers.pop() if self._buffers else bytearray(BATCH_BYTES)
        return buffer if len(buffer) >= size else bytearray(size)

    def _fill(
        self, buffer: bytearray, batch: list[Piece], found: list[Sound | None], hashing: bool
    ) -> "_Read":
        """The bytes of a batch. Runs in the second thread: no database here."""
        places: list[_Place] = []
        whole, at = memoryview(buffer), 0
        for piece, sound in zip(batch, found, strict=True):
            end = at + piece.size
            if sound is None or piece.sounds is None:
                whole[at:end] = piece.data
            else:
                places.append(self._fill_sound(piece, piece.sounds, sound, whole[at:end], hashing))
            at = end
        return _Read(whole[:at], places)

    def _fill_sound(
        self, piece: Piece, sounds: Sounds, sound: Sound, buffer: memoryview, hashing: bool
    ) -> "_Place":
        is_file = hashing and piece.clip >= 0
        try:
            digest = sounds.fill(buffer, piece.position, sound, is_file)
        except LOST as reason:
            return _Place(piece.position, buffer, reason)
        if is_file:
            self._digests.keep(piece.clip, [digest])
        return _Place(piece.position, buffer, None)


class _Place(NamedTuple):
    """Where the sound at this position was read to, or why it could not be read."""

    position: int
    buffer: memoryview
    lost: Exception | None


class _Read(NamedTuple):
    whole: memoryview
    places: list[_Place]


class _Hashed:
    """The digests of files that are sent from their first byte to their last, as they are sent."""

    def __init__(self, digests: Digests, size_of_file: Callable[[int], int]) -> None:
        self._digests, self._size_of_file = digests, size_of_file
        self._file, self._at, self._digest = -1, 0, hashlib.sha256()

    def add(self, piece: Piece, content: memoryview) -> None:
        if piece.file < 0:
            return
        if piece.offset == 0:
            self._file, self._at, self._digest = piece.file, 0, hashlib.sha256()
        if (self._file, self._at) != (piece.file, piece.offset):
            return
        self._digest.update(content)
        self._at += piece.size
        if self._at == self._size_of_file(piece.file):
            self._digests.keep(piece.file, [self._digest.digest()])


def _batches(pieces: Iterable[Piece]) -> Iterator[list[Piece]]:
    """What is made and sent together: sounds of one lookup, with what is between them."""
    batch: list[Piece] = []
    size, sounds = 0, None
    for piece in pieces:
        is_other = piece.sounds is not None and sounds is not None and piece.sounds is not sounds
        if batch and (size >= BATCH_BYTES or is_other or piece is WAIT):
            yield batch
            batch, size, sounds = [], 0, None
        if piece is WAIT:
            yield [WAIT]
            continue
        batch.append(piece)
        size += piece.size
        sounds = sounds or piece.sounds
    if batch:
        yield batch

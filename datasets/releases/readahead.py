"""The bytes of an archive's pieces, made a little ahead of what was sent.

A second thread reads and decrypts sounds: most of that is work in C, during which Python can do something
else. Only the caller's thread asks the database, because the connection is its own. It asks again, just
before a sound is sent, whether the sound may still be handed out.
"""

import hashlib
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import NamedTuple, Self

from accounts.keys import KeyLost
from datasets.clips import vault
from datasets.models import Release

from . import frozen, tar
from .plan import Group, Plan

BATCH_BYTES = 2**19  # given to the server together; a batch may be up to one piece larger
BATCHES_AHEAD = 4
LIVE_CHECK_SECONDS = 1.0  # how long the answer that sounds may be handed out is good for
CLIP_GONE = (frozen.ClipWithdrawn, KeyLost, FileNotFoundError)


class Sounds:
    """The sounds of a group of files. One query asks about all that are left whether they may be handed out,
    and it is repeated when its answer is too old, because the reader may be slow."""

    def __init__(self, release: Release, group: Group) -> None:
        self.group = group
        self._release = release
        self._places: list[tuple[str, bytes]] = []
        self._valid_until = 0.0

    def places(self, place: int) -> list[tuple[str, bytes]]:
        """The vault files and keys of the sounds from this place on. Raises one of CLIP_GONE."""
        now = time.monotonic()
        if now >= self._valid_until:
            ids = [file.sound for file in self.group.files[place:]]
            self._places = frozen.places(self._release, ids)
            self._valid_until = now + LIVE_CHECK_SECONDS
        return self._places[place - len(self.group.files) :]

    def read(self, place: int, where: tuple[str, bytes]) -> tuple[bytes, bytes]:
        """The sound that `places` found, and its digest. No database here; raises one of CLIP_GONE."""
        buffer = bytearray(self.group.files[place].size)
        digest = self.read_into(memoryview(buffer), place, where, hashing=True)
        return bytes(buffer), digest

    def read_into(self, buffer: memoryview, place: int, where: tuple[str, bytes], hashing: bool) -> bytes:
        """Fills the buffer, which is as long as the sound. Gives the stored digest; where none is stored, it
        is computed with `hashing` and empty without."""
        try:
            digest = vault.open_into(buffer, *where)
        except vault.OtherSize:
            row = self.group.files[place].sound
            raise frozen.ClipWithdrawn(frozen.ClipRefusal.RESIZED, row=row) from None
        return hashlib.sha256(buffer).digest() if hashing and not digest else digest


class Piece(NamedTuple):
    """Some bytes of an archive: those that `make` gives, or the whole file of one of the `sounds`."""

    size: int
    make: Callable[[], bytes] = bytes
    sounds: Sounds | None = None
    place: int = 0


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
        """Starts to read the sounds of a batch; what it returns waits for the bytes. Other pieces are made
        only when that is called, because the checksums need the digests of the sounds before them."""
        sounds, place = batch[0].piece.sounds, batch[0].piece.place
        if sounds is None:
            return partial(_joined, batch)
        places = sounds.places(place)
        buffer = self._buffer(sum(part.piece.size for part in batch))
        reading = self._pool.submit(self._fill, buffer, sounds, batch, places, hashing)
        return partial(self._finish, reading, sounds, place, buffer)

    def _finish(self, reading: Future[memoryview], sounds: Sounds, place: int, buffer: bytearray) -> bytes:
        """The bytes of a batch, if its sounds may still be handed out. Raises one of CLIP_GONE."""
        content = reading.result()
        sounds.places(place)
        self._buffers.append(buffer)
        return bytes(content)

    def _buffer(self, size: int) -> bytearray:
        """One of at least this size. Buffers are reused, because the kernel takes as long to give new memory
        as decrypting a sound takes."""
        buffer = self._buffers.pop() if self._buffers else bytearray(BATCH_BYTES)
        return buffer if len(buffer) >= size else bytearray(size)

    def _fill(
        self,
        buffer: bytearray,
        sounds: Sounds,
        batch: list[Part],
        places: Sequence[tuple[str, bytes]],
        hashing: bool,
    ) -> memoryview:
        """The files of a batch, as in the tar. Runs in the second thread: no database here."""
        digests: list[bytes] = []
        first, last = batch[0], batch[-1]
        whole, at = memoryview(buffer), 0
        for place, where in zip(range(first.piece.place, last.piece.place + 1), places, strict=False):
            file = sounds.group.files[place]
            head = tar.header(file.path, file.size, self._mtime)
            start = at + len(head)
            end = start + file.size
            whole[at:start] = head
            digests.append(sounds.read_into(whole[start:end], place, where, hashing))
            padding = tar.padding(file.size)
            at = end + len(padding)
            whole[end:at] = padding
        if hashing:
            self._digests.keep(sounds.group, first.piece.place, digests)
        return whole[first.first : at - last.piece.size + last.end]


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

"""The bytes of an archive's pieces, made a little ahead of what was sent.

A second thread reads and decrypts sounds; most of that is C code, during which the first thread can run. Only
the caller's thread queries the database, because the connection belongs to it. Just before a sound is sent,
it checks again whether the sound may still be handed out.
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
from .frozen import VaultFile
from .plan import Group, Plan

BATCH_BYTES = 2**19  # sent together; the last piece of a batch may exceed it
BATCHES_AHEAD = 4
LIVE_CHECK_SECONDS = 1.0  # how long a check that sounds may be handed out is good for
CLIP_GONE = (frozen.ClipWithdrawn, KeyLost, FileNotFoundError)


class Sounds:
    """The sounds of a group of files, each at a position from 0.

    One query checks whether the sounds from a position on may be handed out. It is repeated when its answer
    is too old, because the reader may be slow.
    """

    def __init__(self, release: Release, group: Group) -> None:
        self.group = group
        self._release = release
        self._vault_files: list[VaultFile] = []
        self._valid_until = 0.0

    def check(self, position: int) -> None:
        """Raises one of CLIP_GONE unless all sounds from this position on may be handed out."""
        now = time.monotonic()
        if now >= self._valid_until:
            ids = [file.sound for file in self.group.files[position:]]
            self._vault_files = frozen.vault_files(self._release, ids)
            self._valid_until = now + LIVE_CHECK_SECONDS

    def vault_files(self, position: int) -> list[VaultFile]:
        """Those of the sounds from this position on. Raises one of CLIP_GONE."""
        self.check(position)
        return self._vault_files[position - len(self.group.files) :]

    def read(self, position: int, file: VaultFile) -> tuple[bytes, bytes]:
        """The sound and its digest. No database here; raises one of CLIP_GONE."""
        buffer = bytearray(self.group.files[position].size)
        digest = self.read_into(memoryview(buffer), position, file, hashing=True)
        return bytes(buffer), digest

    def read_into(self, buffer: memoryview, position: int, file: VaultFile, hashing: bool) -> bytes:
        """Fills the buffer, which is as long as the sound, and returns the stored digest. If none is stored,
        the digest is computed with `hashing`, and empty without."""
        try:
            digest = vault.read_into(buffer, *file)
        except vault.WrongSize:
            row = self.group.files[position].sound
            raise frozen.ClipWithdrawn(frozen.ClipRefusal.RESIZED, row=row) from None
        return hashlib.sha256(buffer).digest() if hashing and not digest else digest


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
        sounds, position = batch[0].piece.sounds, batch[0].piece.position
        if sounds is None:
            return partial(_joined, batch)
        files = sounds.vault_files(position)
        buffer = self._buffer(sum(part.piece.size for part in batch))
        reading = self._pool.submit(self._fill, buffer, sounds, batch, files, hashing)
        return partial(self._finish, reading, sounds, position, buffer)

    def _finish(self, reading: Future[memoryview], sounds: Sounds, position: int, buffer: bytearray) -> bytes:
        """The bytes of a batch, if its sounds may still be handed out. Raises one of CLIP_GONE."""
        content = reading.result()
        sounds.check(position)
        self._buffers.append(buffer)
        return bytes(content)

    def _buffer(self, size: int) -> bytearray:
        """One of at least this size. Buffers are reused, because allocating memory takes the kernel as long
        as decrypting a sound."""
        buffer = self._buffers.pop() if self._buffers else bytearray(BATCH_BYTES)
        return buffer if len(buffer) >= size else bytearray(size)

    def _fill(
        self,
        buffer: bytearray,
        sounds: Sounds,
        batch: list[Part],
        files: Sequence[VaultFile],
        hashing: bool,
    ) -> memoryview:
        """The files of a batch, as in the tar. Runs in the second thread: no database here."""
        digests: list[bytes] = []
        first, last = batch[0], batch[-1]
        whole, at = memoryview(buffer), 0
        positions = range(first.piece.position, last.piece.position + 1)
        for position, vault_file in zip(positions, files, strict=False):
            file = sounds.group.files[position]
            head = tar.header(file.path, file.size, self._mtime)
            start = at + len(head)
            end = start + file.size
            whole[at:start] = head
            digests.append(sounds.read_into(whole[start:end], position, vault_file, hashing))
            padding = tar.padding(file.size)
            at = end + len(padding)
            whole[end:at] = padding
        if hashing:
            self._digests.keep(sounds.group, first.piece.position, digests)
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

"""A release in one format as a tar, from any byte on, straight from the vault.

No second copy of a voice exists: an archive is planned once, which reads no sound, and then made piece by
piece while it is sent. What is outside the range is skipped by its size, so a range in the middle costs the
rows and the sounds in the range. In place of a clip that was withdrawn since the last recall feed comes
silence of the same length, even if it is withdrawn during the download.
"""

import io
import logging
import tarfile
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from typing import IO, Self, cast

from accounts.models import Purpose
from datasets.models import Release

from . import plan, tar
from .digests import Digests
from .formats.folder import Entry
from .formats.form import Format
from .formats.layout import sounds
from .formats.parts import SoundOf, size_of
from .formats.rows import OutOfOrder
from .readahead import GROUP_SOUNDS, WAIT, Piece, ReadAhead, Sounds
from .sound_files import LOST
from .stretches import Of, Stretch, Stretches, purpose_of

logger = logging.getLogger(__name__)


class Archive:
    """A release in one format, as of the day's recall feed. To be closed after use.

    Raises formats.rows.NotRepresentable, when the format cannot hold this release, and accounts.keys.KeyLost.
    """

    def __init__(self, release: Release, form: Format) -> None:
        self.release, self.form = release, form
        self.layout = plan.of(release, form)
        self.size, self.etag = plan.size_of(self.layout, release), self.layout.etag
        self.file_count = self.layout.file_count + 1
        checksums = plan.checksums_size(self.layout)
        self._checksums_start = self.size - len(tar.END) - checksums - len(tar.padding(checksums))
        with ExitStack() as opened:
            digests = opened.enter_context(Digests())
            self._stretches = Stretches(release, form, self.layout, digests)
            self._read_ahead = opened.enter_context(ReadAhead(digests, self._stretches.size_of_file))
            self._opened = opened.pop_all()

    def close(self) -> None:
        self._opened.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def stream(self, first: int = 0, last: int | None = None) -> Iterator[bytes]:
        """The tar's bytes from `first` to `last`, both counted from 0 and within it.

        Raises one of LOST, and logs it, when a file or key of a clip that may be handed out is not there; and
        OutOfOrder when the next recall feed is published meanwhile.
        """
        end = self.size if last is None else last + 1
        sent = first
        try:
            for chunk in self._read_ahead.read(self._pieces(first, end), end > self._checksums_start):
                yield chunk
                sent += len(chunk)
        except (*LOST, OutOfOrder) as reason:
            message = "archive of %s in %s broken off at byte %s of %s: %s"
            logger.warning(message, self.release.slug, self.form.NAME, sent, self.size, reason)
            raise

    def entries(self) -> Iterator[Entry]:
        """Every file, for an export. They are read in this order, each before the next one."""
        packed = io.BufferedReader(_Readable(self.stream()), 2**20)
        with tarfile.open(fileobj=cast(IO[bytes], packed), mode="r|") as members:
            for member in members:
                content = members.extractfile(member)
                assert content is not None
                yield Entry(member.name, member.size, iter(partial(content.read, 2**20), b""))

    def _pieces(self, first: int, end: int) -> Iterator[Piece]:
        """Those with bytes from `first` up to `end`."""
        has_waited = False
        for part in tar.cut(self._stretches, first, end):
            if part.piece.of == Of.CHECKSUMS and not has_waited:
                has_waited = True
                yield WAIT
            yield from _cut(self.release, purpose_of(self.form), part.piece, part.first, part.end)


def _cut(
    release: Release, purpose: Purpose | None, stretch: Stretch, first: int, end: int
) -> Iterator[Piece]:
    """The pieces of a stretch that have bytes from `first` up to `end`, with lookups for their sounds."""
    wanted, offset = [], 0
    for segment in stretch.make():
        size = size_of(segment)
        if size and offset < end and offset + size > first:
            wanted.append((offset, segment))
        offset += size
    rows = sounds(segment for _offset, segment in wanted)
    starts = range(0, len(rows), GROUP_SOUNDS)
    groups = [Sounds(release, rows[at : at + GROUP_SOUNDS], purpose) for at in starts]
    heard = 0
    for at, segment in wanted:
        size = size_of(segment)
        bounds = max(first - at, 0), min(end - at, size)
        file = stretch.file if stretch.of == Of.FILE else -1
        if isinstance(segment, SoundOf):
            clip = stretch.file + segment.number if stretch.of == Of.CLIPS else -1
            group, position = groups[heard // GROUP_SOUNDS], heard % GROUP_SOUNDS
            heard += 1
            yield Piece(size, b"", group, position, *bounds, clip, file, stretch.offset + at)
        else:
            yield Piece(size, segment, None, 0, *bounds, -1, file, stretch.offset + at)


class _Readable(io.RawIOBase):
    """Chunks as a file that is read once."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks, self._rest = chunks, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type]
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._rest = chunk
        size = min(len(view), len(self._rest))
        view[:size], self._rest = self._rest[:size], self._rest[size:]
        return size

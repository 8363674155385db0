"""A release in one format as a tar, from any byte on, straight from the vault.

No second copy of a voice exists: an archive is planned first, which reads no sound, and then made piece by
piece while it is sent. A piece outside the range is skipped by its size, so a range in the middle costs the
plan and the sounds in the range. In place of a clip that was withdrawn since the last recall feed comes
silence of the same length, even if it is withdrawn during the download.
"""

import logging
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from functools import partial
from typing import Self

from datasets.models import Release

from . import tar
from .formats import package
from .formats.rows import Entry, Format
from .plan import ArchiveFile, Group, Plan
from .readahead import Piece, ReadAhead, Sounds
from .sound_files import LOST

logger = logging.getLogger(__name__)


class Archive:
    """A release in one format, as of the day's recall feed. To be closed after use.

    Raises formats.rows.NotRepresentable, when the format cannot hold this release, and accounts.keys.KeyLost.
    """

    def __init__(self, release: Release, form: Format) -> None:
        self.release, self.form = release, form
        with ExitStack() as opened:
            self.plan = opened.enter_context(Plan(release, form))
            self._read_ahead = opened.enter_context(ReadAhead(self.plan))
            self._opened = opened.pop_all()
        self.size, self.etag = self.plan.size, self.plan.etag

    def close(self) -> None:
        self._opened.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def stream(self, first: int = 0, last: int | None = None) -> Iterator[bytes]:
        """The tar's bytes from `first` to `last`, both counted from 0 and within it.

        Raises one of LOST, and logs it, when a file or key of a clip that may be handed out is not there.
        """
        end = self.size if last is None else last + 1
        sent = first
        parts = tar.cut(self._pieces(), first, end)
        try:
            for chunk in self._read_ahead.read(parts, hashing=end > self.plan.checksums_start):
                yield chunk
                sent += len(chunk)
        except LOST as reason:
            message = "archive of %s in %s broken off at byte %s of %s: %s"
            logger.warning(message, self.release.slug, self.form.NAME, sent, self.size, reason)
            raise

    def entries(self) -> Iterator[Entry]:
        """Every file, for an export. They may be skipped, but are read in this order."""
        for group in self.plan.groups():
            yield from self._sound_entries(group) if group.has_sounds else self._text_entries(group)
        yield Entry(package.CHECKSUMS, self.plan.checksums_size, self._checksums)

    def _pieces(self) -> Iterator[Piece]:
        """The whole tar."""
        for group in self.plan.groups():
            yield from self._sound_pieces(group) if group.has_sounds else self._text_pieces(group)
        yield from self._framed(package.CHECKSUMS, self.plan.checksums_size, self._checksum_pieces())
        yield Piece(len(tar.END), lambda: tar.END)

    def _sound_pieces(self, group: Group) -> Iterator[Piece]:
        sounds = Sounds(self.release, group)
        for position, file in enumerate(group.files):
            size = tar.size_of(file.path, file.size, self.plan.mtime)
            yield Piece(size, sounds=sounds, position=position)

    def _text_pieces(self, group: Group) -> Iterator[Piece]:
        for file in group.files:
            text = self.plan.text(file)
            blocks = (Piece(text.size_of(number), partial(text.get, number)) for number in range(len(text)))
            yield from self._framed(file.path, file.size, blocks)

    def _framed(self, path: str, size: int, content: Iterable[Piece]) -> Iterator[Piece]:
        header, padding = tar.header(path, size, self.plan.mtime), tar.padding(size)
        yield Piece(len(header), lambda: header)
        yield from content
        yield Piece(len(padding), lambda: padding)

    def _sound_entries(self, group: Group) -> Iterator[Entry]:
        sounds = Sounds(self.release, group)
        for position, file in enumerate(group.files):
            yield Entry(file.path, file.size, partial(self._sound, sounds, position), file.sound)

    def _text_entries(self, group: Group) -> Iterator[Entry]:
        return (Entry(file.path, file.size, partial(self._text, file)) for file in group.files)

    def _sound(self, sounds: Sounds, position: int) -> Iterator[bytes]:
        sound, digest = sounds.read(position)
        self.plan.digests.keep(sounds.group, position, [digest])
        yield sound

    def _text(self, file: ArchiveFile) -> Iterator[bytes]:
        text = self.plan.text(file)
        return map(text.get, range(len(text)))

    def _checksums(self) -> Iterator[bytes]:
        return (piece.make() for piece in self._checksum_pieces())

    def _checksum_pieces(self) -> Iterator[Piece]:
        for group in self.plan.groups():
            yield Piece(group.checksums_size, partial(self._checksum_lines, group))

    def _checksum_lines(self, group: Group) -> bytes:
        digests = self._digests(group) if group.has_sounds else [file.digest for file in group.files]
        lines = zip(digests, group.files, strict=True)
        return b"".join(package.checksum(digest, file.path) for digest, file in lines)

    def _digests(self, group: Group) -> list[bytes]:
        """Those of a group of sounds. If some were skipped in a range request, the group is read now."""
        if kept := self.plan.digests.of(group):
            return kept
        sounds = Sounds(self.release, group)
        return [sounds.read(position)[1] for position in range(len(group.files))]

"""The bytes of a tar of a release in their order, as stretches that are made only if they are sent."""

import hashlib
from collections.abc import Callable, Iterator
from enum import Enum
from functools import partial
from typing import NamedTuple

from accounts.models import Purpose
from datasets.models import Release

from . import frozen, pinning, plan, tar
from .digests import Digests
from .formats import layout, package
from .formats.delta import whole
from .formats.form import Format
from .formats.layout import File, Layout, Run
from .formats.parts import Clips, Segment, SoundOf, Table
from .formats.rows import Row
from .readahead import Sounds


class Of(Enum):
    """What the bytes of a stretch belong to."""

    FRAME = "headers and padding of the tar"
    FILE = "the content of one file"
    CLIPS = "whole clips with their headers and padding"
    CHECKSUMS = "what is made from the digests of all other files"


class Stretch(NamedTuple):
    """`make` returns the segments, `size` bytes in all.

    `file` is the number of the file, of clips that of the first; `offset` where in the file it begins.
    """

    size: int
    make: Callable[[], list[Segment]]
    of: Of = Of.FRAME
    file: int = -1
    offset: int = 0


class Stretches:
    """Those of one archive. `digests` are asked for when its checksums are made."""

    def __init__(self, release: Release, form: Format, planned: Layout, digests: Digests) -> None:
        self._release, self._form, self._planned, self._digests = release, form, planned, digests
        self._parts = package.parts(
            form, pinning.subsets_of(release), release.previous_id is not None, release.has_single_votes
        )
        self._clips = next((part for part in self._parts if isinstance(part, Clips)), None)
        self._mtime, self._purpose = plan.mtime(release), purpose_of(form)

    def __iter__(self) -> Iterator[Stretch]:
        number = 0
        for path, content in self._planned.documents:
            yield from self._framed(path, len(content), number, [(len(content), partial(_bytes, content))])
            number += 1
        for file in self._planned.files:
            yield from self._framed(file.path, file.size, number, self._content(file))
            number += 1
        for run in self._planned.clips:
            yield Stretch(run.size, partial(self._clips_of, run), Of.CLIPS, number)
            number += run.files
        size = plan.checksums_size(self._planned)
        yield from self._framed(package.CHECKSUMS, size, -1, self._checksums())
        yield Stretch(len(tar.END), partial(_bytes, tar.END))

    def size_of_file(self, number: int) -> int:
        """Of a document or a table."""
        documents = self._planned.documents
        if number < len(documents):
            return len(documents[number][1])
        return self._planned.files[number - len(documents)].size

    def _framed(
        self,
        path: str,
        size: int,
        number: int,
        content: "Iterator[_Made] | list[_Made]",
    ) -> Iterator[Stretch]:
        header, padding = tar.header(path, size, self._mtime), tar.padding(size)
        yield Stretch(len(header), partial(_bytes, header))
        offset = 0
        for length, make in content:
            yield Stretch(length, make, Of.CHECKSUMS if number < 0 else Of.FILE, number, offset)
            offset += length
        yield Stretch(len(padding), partial(_bytes, padding))

    def _content(self, file: File) -> Iterator["_Made"]:
        yield len(file.head), partial(_bytes, file.head)
        for run in file.runs:
            yield run.size, partial(self._run, file, run)
        yield len(file.tail), partial(_bytes, file.tail)

    def _run(self, file: File, run: Run) -> list[Segment]:
        part = self._parts[file.part]
        assert isinstance(part, Table)
        return layout.segments(part, self._rows(run, part.has_words), run)

    def _rows(self, run: Run, with_words: bool) -> list[Row]:
        planned = self._planned.blocks[run.block]
        return layout.kept(planned, frozen.block(self._release, planned, self._form.BY_SPEAKER, with_words))

    def _clips_of(self, run: Run) -> list[Segment]:
        assert self._clips is not None
        # What is between two sounds is one segment: each costs as much as decrypting a short sound.
        made: list[Segment] = []
        between = b""
        for number, row in enumerate(self._rows(run, False)):
            if self._clips.has(row):
                header = tar.header(self._path(row), row.size, self._mtime)
                made += [between + header, SoundOf(row, number)]
                between = tar.padding(row.size)
        return [*made, between]

    def _path(self, row: Row) -> str:
        assert self._clips is not None
        return self._clips.path(row)

    def _checksums(self) -> Iterator["_Made"]:
        number = 0
        for path, _content in self._planned.documents:
            yield package.checksum_size(path), partial(self._checksum, number, path)
            number += 1
        for file in self._planned.files:
            yield package.checksum_size(file.path), partial(self._checksum, number, file.path)
            number += 1
        for run in self._planned.clips:
            yield run.sums, partial(self._checksums_of_clips, number, run)
            number += run.files

    def _checksum(self, number: int, path: str) -> list[Segment]:
        [digest] = self._digests.of(number, 1) or [self._hashed(number)]
        return [package.checksum(digest, path)]

    def _hashed(self, number: int) -> bytes:
        """The digest of a document or table, made again, because some of its bytes were not sent."""
        documents = self._planned.documents
        if number < len(documents):
            return hashlib.sha256(documents[number][1]).digest()
        digest = hashlib.sha256()
        for _size, make in self._content(self._planned.files[number - len(documents)]):
            made = make()
            sounds = Sounds(self._release, layout.sounds(made), self._purpose)
            position = 0
            for segment in made:
                if isinstance(segment, SoundOf):
                    digest.update(sounds.read(position)[0])
                    position += 1
                else:
                    digest.update(segment)
        return digest.digest()

    def _checksums_of_clips(self, number: int, run: Run) -> list[Segment]:
        rows = self._rows(run, False)
        digests = self._digests.of(number, len(rows)) or self._read(rows)
        lines = zip(digests, rows, strict=True)
        return [b"".join(package.checksum(digest, self._path(row)) for digest, row in lines)]

    def _read(self, rows: list[Row]) -> list[bytes]:
        """The digests of clips that were skipped."""
        sounds = Sounds(self._release, rows, self._purpose)
        return [sounds.read(position)[1] for position in range(len(rows))]


def purpose_of(form: Format) -> Purpose | None:
    """What a format is for besides what a release is for: PURPOSE, if it has that."""
    purpose = getattr(whole(form), "PURPOSE", None)
    return Purpose(purpose) if purpose else None


_Made = tuple[int, Callable[[], list[Segment]]]


def _bytes(content: bytes) -> list[Segment]:
    return [content]

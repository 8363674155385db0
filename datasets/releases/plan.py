"""What an archive will hold: its files in order, their sizes, their digests and the archive's ETag.

Planning reads the rows of a release and no sound. Between two recall feeds all plans of a release are alike:
a clip that was withdrawn meanwhile keeps its place, but its sound is silence and its words are blank.
"""

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from itertools import chain, islice
from typing import NamedTuple, Self

from accounts import quarters
from datasets.models import Release

from . import frozen, tar
from .formats import package
from .formats.rows import Entry, Format, Row
from .scratch import EncryptedList, EncryptedText

# A group has at most this many sounds, and about this many bytes.
GROUP_SOUNDS, GROUP_BYTES = 64, 4 * 2**20
ROWS_IN_MEMORY = 8_000  # while planning; the rows beyond go to encrypted temporary storage, which is slower

DIGEST = hashlib.sha256().digest_size


class ArchiveFile(NamedTuple):
    """One file of an archive: a sound, by the id of its row, or the text of this number with its digest."""

    path: str
    size: int
    sound: str = ""
    digest: bytes = b""
    text: int = 0


class Group(NamedTuple):
    """Consecutive files: sounds that are looked up together, or one text. `number` counts from 0."""

    number: int
    files: list[ArchiveFile]

    @property
    def has_sounds(self) -> bool:
        return bool(self.files[0].sound)

    @property
    def checksums_size(self) -> int:
        """How many bytes the group's lines in the checksums take."""
        return sum(_checksum_size(file.path) for file in self.files)


class Plan:
    """The files of one release in one format, as its rows are now. To be closed after use.

    `file_count` includes the checksums, which come last: `checksums_size` bytes, whose header is at
    `checksums_start` of the tar. `size` is the whole tar's. Raises formats.rows.NotRepresentable and
    accounts.keys.KeyLost.
    """

    def __init__(self, release: Release, form: Format) -> None:
        self.release, self.form = release, form
        # The archive discloses no time finer than a quarter.
        self.mtime = int(quarters.start(release.published_at).timestamp())
        self.checksums_size = self.checksums_start = 0
        self.file_count = 1
        with ExitStack() as opened:
            self._files: EncryptedList[ArchiveFile] = opened.enter_context(EncryptedList())
            self._texts: list[EncryptedText] = []
            self.digests = opened.enter_context(Digests())
            self.etag = self._fill(opened)
            self._opened = opened.pop_all()
        checksums = tar.size_of(package.CHECKSUMS, self.checksums_size, self.mtime)
        self.size = self.checksums_start + checksums + len(tar.END)

    def close(self) -> None:
        self._opened.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def groups(self) -> Iterator[Group]:
        """All files but the checksums, in their order."""
        number, files, size = 0, list[ArchiveFile](), 0
        for file in self._files:
            full = len(files) == GROUP_SOUNDS or size >= GROUP_BYTES
            if files and (full or not file.sound or not files[0].sound):
                yield Group(number, files)
                number, files, size = number + 1, [], 0
            files.append(file)
            size += file.size
        if files:
            yield Group(number, files)

    def text(self, file: ArchiveFile) -> EncryptedText:
        return self._texts[file.text]

    def _fill(self, opened: ExitStack) -> str:
        """Collect and count the files, and return the ETag."""
        tag = hashlib.sha256()
        with EncryptedList[Row]() as overflow:
            rows = _repeatable(frozen.rows(self.release), overflow)
            for entry in package.files(self.form, frozen.about(self.release), rows, _never_read):
                file = self._planned(entry, opened)
                self._files.append(file)
                self.file_count += 1
                self.checksums_size += _checksum_size(file.path)
                self.checksums_start += tar.size_of(file.path, file.size, self.mtime)
                tag.update(self._identity(file))
        return f'"{tag.hexdigest()[:32]}"'

    def _identity(self, file: ArchiveFile) -> bytes:
        """What the ETag says of a file: its place and its row, or what it is if it has no words.

        This identifies every byte but the blanks that a withdrawal leaves, which move nothing. So a download
        that was interrupted continues, and no one can see from the ETag when someone left.
        """
        slot = tar.size_of(file.path, file.size, self.mtime)
        digest = file.digest.hex() if file.path in package.WITHOUT_WORDS else ""
        return f"{file.path}\0{slot}\0{file.sound}\0{digest}\n".encode()

    def _planned(self, entry: Entry, opened: ExitStack) -> ArchiveFile:
        if entry.sound:
            return ArchiveFile(entry.path, entry.size, entry.sound)
        text, digest = opened.enter_context(EncryptedText()), hashlib.sha256()
        for chunk in entry.chunks():
            text.write(chunk)
            digest.update(chunk)
        text.finish()
        self._texts.append(text)
        return ArchiveFile(entry.path, text.size, digest=digest.digest(), text=len(self._texts) - 1)


class Digests:
    """The SHA-256 of the sounds that were read, on disk: for ten million clips they are 320 MB."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def keep(self, group: Group, position: int, digests: list[bytes]) -> None:
        """Stores those of the group's sounds from this position on."""
        os.pwrite(self._file.fileno(), b"".join(digests), (group.number * GROUP_SOUNDS + position) * DIGEST)

    def of(self, group: Group) -> list[bytes] | None:
        """Those of all sounds of the group, or None when some of them were not read."""
        size = len(group.files) * DIGEST
        kept = os.pread(self._file.fileno(), size, group.number * GROUP_SOUNDS * DIGEST)
        digests = [kept[at : at + DIGEST] for at in range(0, size, DIGEST)]
        return digests if all(map(any, digests)) else None


def _checksum_size(path: str) -> int:
    return len(package.checksum(bytes(DIGEST), path))


def _repeatable(rows: Iterator[Row], overflow: EncryptedList[Row]) -> Callable[[], Iterator[Row]]:
    """The same rows, to be read as often as needed."""
    first = list(islice(rows, ROWS_IN_MEMORY))
    for row in rows:
        overflow.append(row)
    return partial(chain, first, overflow)


def _never_read(row: Row) -> bytes:
    raise AssertionError(f"the sound of {row.id} was read while its archive was planned")

"""All files of an archive: the format's own, and the licence, card, labels and checksums of every format."""

import hashlib
from collections.abc import Callable, Iterator
from functools import partial

from .card import About, card, licence
from .rows import Audio, Entry, Format, Row, Rows, as_json, document, in_order, lines
from .summary import summarise

CHECKSUMS = "checksums.sha256"
# Texts without the words of a clip: they stay the same between two recall feeds, byte for byte.
WITHOUT_WORDS = ("LICENSE.txt", "README.md")

_DIGEST = hashlib.sha256().digest_size


def entries(form: Format, about: About, rows: Rows, audio: Audio) -> Iterator[Entry]:
    """Every file of a release in one format, in an order and with bytes that depend on the rows alone.

    The audio of a clip is read when its entry is read, so no second copy of a voice exists and entries may be
    skipped. Raises OutOfOrder unless the rows are ordered by id.
    """
    return _with_checksums(partial(files, form, about, rows, audio))


def files(form: Format, about: About, rows: Rows, audio: Audio) -> Iterator[Entry]:
    """The same without the checksums, for callers that compute them while reading."""

    def ordered() -> Iterator[Row]:
        return in_order(rows())

    return _files(form, about, ordered, audio)


def checksum(digest: bytes, path: str) -> bytes:
    """One line of the checksums, as sha256sum reads it; its length depends only on the path."""
    return f"{digest.hex()}  {path}\n".encode()


def _files(form: Format, about: About, rows: Rows, audio: Audio) -> Iterator[Entry]:
    own = form.entries(rows, audio)
    yield document("LICENSE.txt", licence(about))
    yield document("README.md", card(about, summarise(rows(), form.why_left_out), form.LAYOUT))
    yield lines("soft-labels.jsonl", partial(_soft_labels, form, rows))
    yield from own


def _soft_labels(form: Format, rows: Rows) -> Iterator[str]:
    for row in rows():
        if form.why_left_out(row) is None:
            yield _soft_label(row) + "\n"


def _soft_label(row: Row) -> str:
    fields = {
        "id": row.id,
        "speaker": row.speaker,
        "split": row.split,
        "answer": row.answer,
        "confidence": row.confidence,
        "soft": row.soft,
    }
    return as_json(fields)


def _with_checksums(files: Callable[[], Iterator[Entry]]) -> Iterator[Entry]:
    """The files, and last their checksums, computed while each file was read. A skipped file is read then.

    Only digests are kept in memory, 32 bytes a file; the paths are generated again.
    """
    digests = bytearray()
    size = 0
    for number, file in enumerate(files()):
        digests.extend(bytes(_DIGEST))
        size += len(checksum(bytes(_DIGEST), file.path))
        yield Entry(file.path, file.size, partial(_hashed, file, digests, number * _DIGEST))
    yield Entry(CHECKSUMS, size, partial(_checksums, files, digests))


def _hashed(file: Entry, digests: bytearray, at: int) -> Iterator[bytes]:
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
        yield chunk
    digests[at : at + _DIGEST] = digest.digest()


def _checksums(files: Callable[[], Iterator[Entry]], digests: bytearray) -> Iterator[bytes]:
    for number, file in enumerate(files()):
        digest = bytes(digests[number * _DIGEST : (number + 1) * _DIGEST])
        yield checksum(digest if any(digest) else hashlib.sha256(file.read()).digest(), file.path)

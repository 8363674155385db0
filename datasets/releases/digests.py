"""The SHA-256 of files that were sent, on disk: for ten million clips they are 320 MB."""

import hashlib
import os
import tempfile
from typing import Self

DIGEST = hashlib.sha256().digest_size


class Digests:
    """The digests of an archive's files, by number. To be closed after use."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def keep(self, first: int, digests: list[bytes]) -> None:
        """Those of consecutive files from this number on."""
        os.pwrite(self._file.fileno(), b"".join(digests), first * DIGEST)

    def of(self, first: int, number: int) -> list[bytes]:
        """Those of so many files in a row; none if one of them is not known."""
        size = number * DIGEST
        kept = os.pread(self._file.fileno(), size, first * DIGEST)
        digests = [kept[at : at + DIGEST] for at in range(0, size, DIGEST)]
        return digests if all(map(any, digests)) else []

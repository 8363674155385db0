"""Encrypted temporary storage: what does not fit into memory, under a key that only this process has.

A release's rows contain what people said, which is never stored unencrypted. So it goes to a temporary file
without a name, in blocks of AES-256-GCM ciphertext. Key and file are gone when the process ends.
"""

import os
import pickle
import tempfile
from collections.abc import Iterator
from typing import Generic, Self, TypeVar

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from accounts.ciphers import KEY, NONCE

T = TypeVar("T")

TAG = 16  # bytes that encryption adds to each block
TEXT_BLOCK = 256 * 1024  # bytes
LIST_BLOCK = 1_000  # items


class EncryptedBlocks:
    """Blocks of bytes in an encrypted temporary file, numbered in the order in which they were added."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115
        self._cipher = AESGCM(os.urandom(KEY))
        self._ends = [0]

    def add(self, block: bytes) -> None:
        sealed = self._cipher.encrypt(self._nonce(len(self)), block, None)
        self._file.write(sealed)
        self._ends.append(self._ends[-1] + len(sealed))

    def get(self, number: int) -> bytes:
        self._file.flush()
        start, end = self._ends[number], self._ends[number + 1]
        sealed = os.pread(self._file.fileno(), end - start, start)
        return self._cipher.decrypt(self._nonce(number), sealed, None)

    def size_of(self, number: int) -> int:
        """In bytes, without decrypting it."""
        return self._ends[number + 1] - self._ends[number] - TAG

    def __len__(self) -> int:
        return len(self._ends) - 1

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _nonce(self, number: int) -> bytes:
        """A counter is enough: each file has its own key, and a block is encrypted once."""
        return number.to_bytes(NONCE)


class EncryptedText(EncryptedBlocks):
    """One long text, written from front to back and then read in blocks.

    >>> with EncryptedText() as text:
    ...     text.write(b"one "), text.write(b"two")
    ...     text.finish()
    ...     text.size, text.get(0)
    (None, None)
    (7, b'one two')
    """

    def __init__(self) -> None:
        super().__init__()
        self._pending = bytearray()
        self.size = 0

    def write(self, data: bytes) -> None:
        self.size += len(data)
        self._pending += data
        while len(self._pending) >= TEXT_BLOCK:
            self.add(bytes(self._pending[:TEXT_BLOCK]))
            del self._pending[:TEXT_BLOCK]

    def finish(self) -> None:
        """Call this once, after the last `write`."""
        if self._pending:
            self.add(bytes(self._pending))


class EncryptedList(EncryptedBlocks, Generic[T]):
    """A long list, of which one block is in memory at a time.

    >>> with EncryptedList() as numbers:
    ...     for number in range(2_500):
    ...         numbers.append(number)
    ...     sum(numbers) == sum(range(2_500))
    True
    """

    def __init__(self) -> None:
        super().__init__()
        self._pending: list[T] = []

    def append(self, item: T) -> None:
        self._pending.append(item)
        if len(self._pending) == LIST_BLOCK:
            self.add(pickle.dumps(self._pending, pickle.HIGHEST_PROTOCOL))
            self._pending = []

    def __iter__(self) -> Iterator[T]:
        for number in range(len(self)):
            yield from pickle.loads(self.get(number))  # safe: only this process has the key
        yield from self._pending

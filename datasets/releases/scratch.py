"""What one process lays aside on disk while it works, sealed under a key that no other ever has.

A release's rows hold what people said, and no word may lie anywhere in plain. So what is too much for memory
goes to a file without a name, in blocks of AES-256-GCM ciphertext; key and file are gone with the process.
"""

import os
import pickle
import tempfile
from collections.abc import Iterator
from typing import Generic, Self, TypeVar

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from accounts.ciphers import KEY, NONCE

T = TypeVar("T")

TAG = 16  # bytes that sealing adds to each block
BLOCK = 256 * 1024  # bytes of a text that are sealed together
THINGS = 1_000  # so many of a list


class Blocks:
    """Blocks of bytes, by the order in which they were laid aside."""

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
        """In bytes, without opening it."""
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
        """A key seals one file alone, and no block of it twice."""
        return number.to_bytes(NONCE)


class Text(Blocks):
    """One long text, written from front to back and then read in blocks.

    >>> with Text() as text:
    ...     text.write(b"one "), text.write(b"two")
    ...     text.end()
    ...     text.size, text.get(0)
    (None, None)
    (7, b'one two')
    """

    def __init__(self) -> None:
        super().__init__()
        self._open = bytearray()
        self.size = 0

    def write(self, data: bytes) -> None:
        self.size += len(data)
        self._open += data
        while len(self._open) >= BLOCK:
            self.add(bytes(self._open[:BLOCK]))
            del self._open[:BLOCK]

    def end(self) -> None:
        """To be called once, after the last `write`."""
        if self._open:
            self.add(bytes(self._open))


class List(Blocks, Generic[T]):
    """A long list, some of which is in memory at a time.

    >>> with List() as numbers:
    ...     for number in range(2_500):
    ...         numbers.append(number)
    ...     sum(numbers) == sum(range(2_500))
    True
    """

    def __init__(self) -> None:
        super().__init__()
        self._open: list[T] = []

    def append(self, thing: T) -> None:
        self._open.append(thing)
        if len(self._open) == THINGS:
            self.add(pickle.dumps(self._open, pickle.HIGHEST_PROTOCOL))
            self._open = []

    def __iter__(self) -> Iterator[T]:
        for number in range(len(self)):
            yield from pickle.loads(self.get(number))  # our own block: no other has the key
        yield from self._open

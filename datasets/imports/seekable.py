"""What files that are read from any place have in common."""

import io
import os


class Seekable(io.RawIOBase):
    """A file of `_size` bytes whose next one to be read is at `_at`. Who extends it writes `readinto`."""

    def __init__(self, size: int) -> None:
        self._size, self._at = size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, to: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = max(start + to, 0)
        return self._at

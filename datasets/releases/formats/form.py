"""What a format is: a module that says which rows it takes, and what its files are made of."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from .parts import Part
from .rows import Row
from .subsets import Subset
from .summary import Summary

# A file of text that is made from counts, without any clip's words.
Document = tuple[str, str]


class Format(Protocol):
    """A module that writes one training format.

    NAME         the name in the address of its archive
    LAYOUT       its files and folders, for the dataset card
    BY_SPEAKER   rows come ordered by speaker and then by id, and not by id alone
    PER_SPEAKER  no file has rows of two speakers; such a format is also BY_SPEAKER
    SHARD_BYTES  how many bytes of sound a shard holds at most; 0: the format has no shards
    """

    @property
    def NAME(self) -> str: ...

    @property
    def LAYOUT(self) -> str: ...

    @property
    def BY_SPEAKER(self) -> bool: ...

    @property
    def PER_SPEAKER(self) -> bool: ...

    @property
    def SHARD_BYTES(self) -> int: ...

    def why_left_out(self, row: Row, /) -> str | None:
        """Why a row cannot be in this format, worded to follow a count ("12 longer than 10 s"), or None."""
        ...

    def parts(self, subsets: Sequence[Subset], /) -> Sequence[Part]:
        """Its files that are made from rows, in the order of the archive."""
        ...

    def documents(self, subsets: Sequence[Subset], summary: Summary, /) -> Iterable[Document]:
        """Its other files."""
        ...

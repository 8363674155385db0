"""What one version of a release has more than the version before it, in any format of single clips.

It is the archive of the whole without the clips that were in the version before. All tables, documents and
checksums are those of the whole: with the clips at hand, renamed as previous-ids.csv says, and those of the
delta a copy has the same files as the whole.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from .form import Document, Format
from .parts import Clips, Part
from .rows import FormatRefusal, NotRepresentable, Row
from .subsets import Subset
from .summary import Summary

SUFFIX = "-delta"


@dataclass(frozen=True)
class Delta:
    """A format, without the clips that the version before has."""

    of: Format

    @property
    def NAME(self) -> str:
        return self.of.NAME + SUFFIX

    @property
    def LAYOUT(self) -> str:
        return self.of.LAYOUT

    @property
    def BY_SPEAKER(self) -> bool:
        return self.of.BY_SPEAKER

    @property
    def PER_SPEAKER(self) -> bool:
        return self.of.PER_SPEAKER

    @property
    def SHARD_BYTES(self) -> int:
        return 0

    def why_left_out(self, row: Row) -> str | None:
        return self.of.why_left_out(row)

    def parts(self, subsets: Sequence[Subset]) -> Sequence[Part]:
        """Raises NotRepresentable for a format that packs clips."""
        parts = self.of.parts(subsets)
        if not any(isinstance(part, Clips) for part in parts):
            raise NotRepresentable(FormatRefusal.WHOLE_ONLY, format=self.of.NAME)
        return [replace(part, has=_is_new) if isinstance(part, Clips) else part for part in parts]

    def documents(self, subsets: Sequence[Subset], summary: Summary) -> Iterable[Document]:
        return self.of.documents(subsets, summary)


def whole(form: Format) -> Format:
    """The format in which everything is, for documents that are the same in both."""
    return form.of if isinstance(form, Delta) else form


def _is_new(row: Row) -> bool:
    return not row.previous

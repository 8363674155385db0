"""Counts of the clips that an archive has and of those that it leaves out, from one pass over the rows."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from .rows import SPLITS, WAKE_WORD, Row


@dataclass
class Subtotal:
    """Clips, their speakers and their seconds."""

    clips: int = 0
    seconds: float = 0.0
    speakers: set[str] = field(default_factory=set)

    def add(self, row: Row) -> None:
        self.clips += 1
        self.seconds += row.seconds
        self.speakers.add(row.speaker)


@dataclass
class Summary:
    """Counts of one format's rows; `left_out` counts the clips that it leaves out, by reason.

    `letters` are the characters of the transcripts of each subset, by its number; `subsets` its counts.
    """

    splits: dict[str, Subtotal] = field(default_factory=lambda: {split: Subtotal() for split in SPLITS})
    languages: defaultdict[str, Subtotal] = field(default_factory=lambda: defaultdict(Subtotal))
    wake_words: defaultdict[str, Subtotal] = field(default_factory=lambda: defaultdict(Subtotal))
    labels: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    subsets: defaultdict[int, Subtotal] = field(default_factory=lambda: defaultdict(Subtotal))
    letters: defaultdict[int, set[str]] = field(default_factory=lambda: defaultdict(set))

    @property
    def clips(self) -> int:
        return sum(subtotal.clips for subtotal in self.splits.values())

    def add(self, row: Row) -> None:
        self.splits[row.split].add(row)
        self.languages[row.language].add(row)
        self.subsets[row.subset].add(row)
        self.letters[row.subset].update(row.text)
        self.letters[row.subset].discard(" ")
        if row.kind == WAKE_WORD:
            self.wake_words[row.wake_word].add(row)
            self.labels[str(row.label)] += 1


def summarise(rows: Iterable[Row], why_left_out: Callable[[Row], str | None]) -> Summary:
    """The counts of rows, with those that the format leaves out.

    >>> summarise([], lambda row: None).clips
    0
    """
    summary = Summary()
    for row in rows:
        reason = why_left_out(row)
        if reason is None:
            summary.add(row)
        else:
            summary.left_out[reason] += 1
    return summary

"""The crowd's own texts as a corpus: how often each word and each pair of neighbouring words occurs.

It is a free prior for any language, and it knows the names that recur in the same recordings.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

# Stands for the start and the end of a text in pairs.
EDGE = ""

# The most words, and the most pairs, that are kept: the most frequent ones, a few megabytes.
MAX_ENTRIES = 200_000


@dataclass(frozen=True)
class Lexicon:
    """Counts over a crowd's tasks.

    `words`: the number of tasks on which anyone wrote a word; `pairs`: how often two words are neighbours in
    the leading texts, by `pair`.
    """

    words: Counter[str] = field(default_factory=Counter)
    pairs: Counter[str] = field(default_factory=Counter)

    def add(self, written: Iterable[str], texts: Iterable[Sequence[str]]) -> None:
        """Count `written`, each task's distinct words, and the neighbours in `texts`, the leading ones.

        >>> lexicon = Lexicon()
        >>> lexicon.add(["no", "know", "oh"], [["oh", "no"]])
        >>> lexicon.words["know"], lexicon.pairs["oh no"], lexicon.pairs["oh know"]
        (1, 1, 0)
        """
        self.words.update(written)
        for text in texts:
            self.pairs.update(map(pair, [EDGE, *text], [*text, EDGE]))

    def bounded(self) -> "Lexicon":
        """The most frequent `MAX_ENTRIES` words and pairs; ties in alphabetical order."""
        return Lexicon(_bounded(self.words), _bounded(self.pairs))


def pair(one: str, other: str) -> str:
    """The key of two neighbouring words in `Lexicon.pairs`."""
    return f"{one} {other}"


def _bounded(counts: Counter[str]) -> Counter[str]:
    if len(counts) <= MAX_ENTRIES:
        return counts
    kept = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:MAX_ENTRIES]
    return Counter(dict(kept))

"""The crowd's own texts as a corpus: how often a word stands in them, and next to which.

It is a prior that costs nothing, knows every language, and knows the names that recur in the same recordings.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

# What a text begins after and ends before.
EDGE = ""

# So many words and as many pairs are kept, the most frequent ones: some megabytes.
ROOM = 200_000


@dataclass(frozen=True)
class Lexicon:
    """`words`: on how many tasks somebody wrote a word; `pairs`: how many times two words `"one other"` are
    neighbours in the texts that lead."""

    words: Counter[str] = field(default_factory=Counter)
    pairs: Counter[str] = field(default_factory=Counter)

    def add(self, written: Iterable[str], texts: Iterable[Sequence[str]]) -> None:
        """Count the words of each task, each word once a task, and the leading text of each.

        >>> lexicon = Lexicon()
        >>> lexicon.add(["no", "know", "oh"], [["oh", "no"]])
        >>> lexicon.words["know"], lexicon.pairs["oh no"], lexicon.pairs["oh know"]
        (1, 1, 0)
        """
        self.words.update(written)
        for text in texts:
            self.pairs.update(map(pair, [EDGE, *text], [*text, EDGE]))

    def bounded(self) -> "Lexicon":
        return Lexicon(_bounded(self.words), _bounded(self.pairs))


def pair(one: str, other: str) -> str:
    return f"{one} {other}"


def _bounded(counts: Counter[str]) -> Counter[str]:
    if len(counts) <= ROOM:
        return counts
    kept = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:ROOM]
    return Counter(dict(kept))

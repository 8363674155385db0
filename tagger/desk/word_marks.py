"""Which words of two transcripts differ, for a page that marks them. Pure."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from rapidfuzz.distance import Levenshtein

from datasets import normalise


class Run(NamedTuple):
    """Consecutive words, and whether the other transcript has others there."""

    text: str
    differs: bool


def runs(one: str, other: str, language: str) -> tuple[list[Run], list[Run]]:
    """Both texts as they are written, in runs of words that differ and words that are the same.

    >>> runs("Turn the light on", "turn the lights on", "en")[0]
    [Run(text='Turn the', differs=False), Run(text='light', differs=True), Run(text='on', differs=False)]
    """
    mine, theirs = _normal(one, language), _normal(other, language)
    changed: tuple[set[int], set[int]] = (set(), set())
    for edit in Levenshtein.editops(mine, theirs):
        if edit.tag != "insert":
            changed[0].add(edit.src_pos)
        if edit.tag != "delete":
            changed[1].add(edit.dest_pos)
    return _marked(one, mine, changed[0], language), _marked(other, theirs, changed[1], language)


def _normal(text: str, language: str) -> Sequence[str]:
    return list(normalise.words(text, language))


def _marked(text: str, words: Sequence[str], changed: set[int], language: str) -> list[Run]:
    """The text in runs. If the normal form joins words or takes them apart, all count as different."""
    written = text.split()
    normal = [_normal(word, language) for word in written]
    if [each for some in normal for each in some] != list(words):
        return [Run(" ".join(written), bool(changed))] if written else []
    marked = zip(written, _any_changed(normal, changed), strict=True)
    return [
        Run(" ".join(word for word, _ in run), differs)
        for differs, run in groupby(marked, key=lambda each: each[1])
    ]


def _any_changed(normal: Sequence[Sequence[str]], changed: set[int]) -> Iterator[bool]:
    at = 0
    for words in normal:
        yield any(place in changed for place in range(at, at + len(words)))
        at += len(words)

"""Takes words out of a transcript by their position. Pure.

No one marked when each word was said. So a word is placed by its letters: it takes the share of the speech
that its letters have among all letters. That is an estimate: people pause and hurry. As a name that is left
is worse than a word that is missed, the word before and the word after go too.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from itertools import groupby

from datasets.normalise import PRIVATE, is_unspaced

MARGIN = 1  # words that go on either side

Share = tuple[float, float]  # from and to, 0 to 1


def taken_out(text: str, parts: Sequence[Share]) -> str:
    """The text with `[private]` in place of what was said in these parts of the speech.

    What remains is as it was typed. Words that were taken out before take up none of the speech.

    >>> taken_out("My name is John Smith, and I live here", [(0.3, 0.5)])
    'My name [private] I live here'
    >>> taken_out("My name [private] I live here", [(0.9, 1.0)])
    'My name [private] I [private]'
    """
    units = list(_units(text))
    hidden = _hidden([text[start:end] for start, end in units], parts)
    pieces = []
    for is_hidden, run in groupby(zip(hidden, units, strict=True), key=lambda each: each[0]):
        spans = [span for _, span in run]
        pieces.append(PRIVATE if is_hidden else text[spans[0][0] : spans[-1][1]])
    return " ".join(pieces)


def _hidden(words: Sequence[str], parts: Sequence[Share]) -> list[bool]:
    letters = [_letters(word) for word in words]
    total = sum(letters) or 1
    hidden, before = [], 0
    for own in letters:
        start, end = before / total, (before + own) / total
        hidden.append(any(start <= part_to and end >= part_from for part_from, part_to in parts))
        before += own
    margins = (any(hidden[max(at - MARGIN, 0) : at + MARGIN + 1]) for at in range(len(words)))
    return [near or PRIVATE in word for near, word in zip(margins, words, strict=True)]


def _letters(word: str) -> int:
    if PRIVATE in word:
        return 0
    return max(sum(character.isalnum() for character in word), 1)


def _units(text: str) -> Iterator[tuple[int, int]]:
    """Where each word begins and ends; in scripts without spaces, each character with its marks."""
    start = None
    for at, character in enumerate(text):
        if start is not None and _begins(text[at - 1], character):
            yield start, at
            start = None
        if start is None and not character.isspace():
            start = at
    if start is not None:
        yield start, len(text)


def _begins(before: str, character: str) -> bool:
    """Whether a word ends between these characters, the first of which is part of one."""
    if character.isspace():
        return True
    is_mark = unicodedata.category(character).startswith("M")
    return not is_mark and (is_unspaced(before) or is_unspaced(character))

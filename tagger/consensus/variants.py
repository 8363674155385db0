"""Ways to write one and the same speech, so that they meet in one slot of the network.

Joined or split (airtight, air tight) is the same in every language: it takes two transcripts that differ in a
space alone. What else is one speech in two spellings (20 and twenty, Mr and mister, I'm and I am) depends on
the language and is data: `languages/xx.json` holds, by written word, how it is spoken (`spoken`), what the
ending of a word stands for (`endings`), and words so frequent that a text is known by them (`marks`). A
language without a file has none of it.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import chain
from pathlib import Path

from .network import Words

LANGUAGES = Path(__file__).parent / "languages"

# The most words that one word is split into.
WIDEST = 3


@dataclass(frozen=True)
class Variants:
    """What one language writes in more than one way."""

    spoken: Mapping[str, Sequence[str]] = field(default_factory=dict)
    endings: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def of(self, word: str) -> Iterable[str]:
        """Every other way to write a word that the language's data gives.

        >>> list(of_language("en").of("don't")), list(of_language("und").of("don't"))
        (['do not'], [])
        """
        yield from self.spoken.get(word, ())
        if not word.endswith(tuple(self.endings)):
            return
        for ending, meanings in self.endings.items():
            if word.endswith(ending) and len(word) > len(ending):
                yield from (f"{word.removesuffix(ending)} {meaning}" for meaning in meanings)

    def same(self, one: str, other: str) -> bool:
        """Are two different words one in two spellings?"""
        if " " in one or " " in other:
            return (
                one.replace(" ", "") == other.replace(" ", "")
                or one in self.of(other)
                or other in self.of(one)
            )
        return bool(self.spoken) and (other in self.spoken.get(one, ()) or one in self.spoken.get(other, ()))

    def spell_out(self, text: Words) -> Words:
        """A text with its numerals and abbreviations as they are spoken.

        >>> of_language("en").spell_out(("21", "days"))
        ('twenty', 'one', 'days')
        """
        if self.spoken.keys().isdisjoint(text):
            return text
        return tuple(part for word in text for part in self.spoken.get(word, (word,))[0].split())

    def are_spelled_out(self, tasks: Iterable[Sequence[Words]]) -> bool:
        """Does a crowd write more numerals as they are spoken than in digits, where somebody wrote digits?"""
        spoken = written = 0
        numerals = set(filter(str.isdigit, self.spoken))
        for texts in tasks:
            if digits := numerals.intersection(chain.from_iterable(texts)):
                lines = [f" {' '.join(text)} " for text in texts]
                for word in digits:
                    ways = [f" {way} " for way in self.spoken[word]]
                    spoken += sum(any(way in line for way in ways) for line in lines)
                    written += sum(f" {word} " in line for line in lines)
        return spoken > written

    def bridge(self, stretch: list[Words]) -> list[Words]:
        """Texts in which words that others joined into one stand as one, with their spaces in it.

        >>> of_language("und").bridge([("airtight", "box"), ("air", "tight", "box")])
        [('airtight', 'box'), ('air tight', 'box')]
        """
        single = set(chain.from_iterable(stretch))
        endings = tuple(self.endings)
        more = [word for word in single if word in self.spoken or word.endswith(endings)]
        split = {way for word in more for way in self.of(word) if " " in way}
        # What joins words begins with the first of them, and in order some such word comes right after that.
        ordered = sorted(single)
        if not split and not any(map(str.startswith, ordered[1:], ordered)):
            return stretch
        return [_joined(text, single, split) if len(text) > 1 else text for text in stretch]


def _joined(text: Words, single: set[str], split: set[str]) -> Words:
    found: list[str] = []
    at = 0
    while at < len(text):
        width = min(WIDEST, len(text) - at)
        while width > 1:
            part = text[at : at + width]
            if "".join(part) in single or (split and " ".join(part) in split):
                break
            width -= 1
        found.append(" ".join(text[at : at + width]) if width > 1 else text[at])
        at += width
    return tuple(found)


def guess(texts: Iterable[Words]) -> str:
    """The language of which a quarter of the words are marks; "" where there is none.

    >>> guess([("the", "cat", "sat", "on", "the", "mat")]), guess([("el", "gato")])
    ('en', '')
    """
    counts = Counter(chain.from_iterable(texts))
    for language in sorted(path.stem for path in LANGUAGES.glob("*.json")):
        if 4 * sum(counts[mark] for mark in _data(language)["marks"]) > counts.total():
            return language
    return ""


@cache
def of_language(language: str) -> Variants:
    """The variants of a language by its code (`en`, `en-GB`); none of its own where there is no data."""
    data = _data(language.split("-")[0].lower())
    return Variants(data.get("spoken", {}), data.get("endings", {}))


@cache
def _data(language: str) -> dict:
    known = {path.stem: path for path in LANGUAGES.glob("*.json")}
    return json.loads(known[language].read_text("utf-8")) if language in known else {}

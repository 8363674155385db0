"""Different spellings of the same speech, so that they share a slot of the network.

Joined and split words (airtight, air tight) are recognised in any language, from two transcripts that differ
only in a space. Other variants (20 and twenty, Mr and mister, I'm and I am) depend on the language and are
data. `languages/xx.json` has for a written word how it is spoken (`spoken`), and for the ending of a word
what it stands for (`endings`). A language without a file has no such variants.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import chain
from pathlib import Path

from datasets import languages

from .network import Words

LANGUAGES = Path(__file__).parent / "languages"

# The most words that one word may be split into.
MAX_PARTS = 3


@dataclass(frozen=True)
class Variants:
    """The spelling variants of one language."""

    spoken: Mapping[str, Sequence[str]] = field(default_factory=dict)
    endings: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def of(self, word: str) -> Iterable[str]:
        """Every other way to write a word, according to the language's data.

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
        """Whether two different words are spellings of the same speech."""
        if " " in one or " " in other:
            return (
                one.replace(" ", "") == other.replace(" ", "")
                or one in self.of(other)
                or other in self.of(one)
            )
        return bool(self.spoken) and (other in self.spoken.get(one, ()) or one in self.spoken.get(other, ()))

    def spell_out(self, text: Words) -> Words:
        """The text with numerals and abbreviations as they are spoken.

        >>> of_language("en").spell_out(("21", "days"))
        ('twenty', 'one', 'days')
        """
        if self.spoken.keys().isdisjoint(text):
            return text
        return tuple(part for word in text for part in self.spoken.get(word, (word,))[0].split())

    def are_spelled_out(self, tasks: Iterable[Sequence[Words]]) -> bool:
        """Whether a crowd spells out more numerals than it writes in digits, on tasks where digits occur."""
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
        """Texts in which words that other texts join are one word, with the space inside it.

        >>> of_language("und").bridge([("airtight", "box"), ("air", "tight", "box")])
        [('airtight', 'box'), ('air tight', 'box')]
        """
        single = set(chain.from_iterable(stretch))
        endings = tuple(self.endings)
        more = [word for word in single if word in self.spoken or word.endswith(endings)]
        split = {way for word in more for way in self.of(word) if " " in way}
        # A joined word starts with its first part; in sorted order, such a word comes directly after it.
        ordered = sorted(single)
        if not split and not any(map(str.startswith, ordered[1:], ordered)):
            return stretch
        return [_join_words(text, single, split) if len(text) > 1 else text for text in stretch]


def _join_words(text: Words, single: set[str], split: set[str]) -> Words:
    found: list[str] = []
    at = 0
    while at < len(text):
        width = min(MAX_PARTS, len(text) - at)
        while width > 1:
            part = text[at : at + width]
            if "".join(part) in single or (split and " ".join(part) in split):
                break
            width -= 1
        found.append(" ".join(text[at : at + width]) if width > 1 else text[at])
        at += width
    return tuple(found)


@cache
def of_language(language: str) -> Variants:
    """The variants of a language by its code (`en`, `en-GB`); none where there is no data."""
    data = _data(languages.primary(language))
    return Variants(data.get("spoken", {}), data.get("endings", {}))


@cache
def _data(language: str) -> dict:
    known = {path.stem: path for path in LANGUAGES.glob("*.json")}
    return json.loads(known[language].read_text("utf-8")) if language in known else {}

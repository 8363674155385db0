"""The form of a transcript that votes are counted on and that training formats hold.

Typed text varies where speech does not: case, punctuation, the shape of an apostrophe, the encoding of an
accent. This module removes those differences and no others: accents stay, numbers stay as typed, and
nothing is translated or corrected. It knows no language, so a Turkish capital I becomes a dotted i.
"""

import re
import unicodedata
from collections.abc import Iterable
from enum import StrEnum

from accounts.refusals import Refusal

UNCLEAR = "[unclear]"
LONGEST = 2_000  # characters of one transcript; 30 seconds of speech hold a quarter of that
MOST_WORDS = 300  # or characters, in scripts without spaces: aligning costs their product

# A token is found in the *shape* of a text, one letter a character (see `_shape`), because Python's `re`
# knows neither combining marks nor scripts: a character of an unspaced script with its marks, or a word
# that begins with a letter or digit and holds joiners only inside it.
_TOKEN = re.compile(r"cm*|w[wm]*(?:j[wm]+)*")

# The same where every letter is ASCII.
_ASCII_TOKEN = re.compile(r"[a-z0-9]+(?:'[a-z0-9]+)*")

# An apostrophe is typed in many ways. The acute accent must go before NFKC, which makes it a space.
_APOSTROPHES = str.maketrans(dict.fromkeys("\u2018\u2019\u201b\u02bc\u02b9\u2032\u00b4\u0060\uff07", "'"))

# Zero-width joiner and non-joiner are spelling in Persian and in Indic scripts.
_JOINERS = "'\u200c\u200d"

# NFKC takes the vowels AM of Thai and Lao apart, which no keyboard or alphabet of theirs does.
_VOWELS_AM = {"\u0e4d\u0e32": "\u0e33", "\u0ecd\u0eb2": "\u0eb3"}

# Scripts written without spaces between words, by code point (Unicode 15 blocks).
_UNSPACED = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Myanmar
    (0x1780, 0x17FF),  # Khmer
    (0x3005, 0x3007),  # Han iteration mark, zero
    (0x3021, 0x30FF),  # Han numerals, Hiragana, Katakana
    (0x3100, 0x312F),  # Bopomofo
    (0x31A0, 0x31FF),  # Bopomofo and Katakana extensions
    (0x3400, 0x4DBF),  # Han extension A
    (0x4E00, 0x9FFF),  # Han
    (0xA9E0, 0xA9FF),  # Myanmar extension B
    (0xAA60, 0xAA7F),  # Myanmar extension A
    (0xF900, 0xFAFF),  # Han compatibility
    (0x20000, 0x3FFFD),  # Han extensions B and on
)


class TranscriptFault(StrEnum):
    """Why a text is refused as the transcript of a clip."""

    TOO_LONG = "transcript-too-long"
    TOO_MANY_WORDS = "transcript-too-many-words"
    ZERO_CHARACTER = "transcript-zero-character"


class BadTranscript(Refusal):
    """Not a transcript of one clip. Its code is a TranscriptFault."""


def check(text: str) -> None:
    """Raises BadTranscript, with `found` and `most` where there is too much of it.

    >>> check("la " * 301)
    Traceback (most recent call last):
    datasets.normalise.BadTranscript: transcript-too-many-words: found=301, most=300
    """
    if len(text) > LONGEST:
        raise BadTranscript(TranscriptFault.TOO_LONG, found=len(text), most=LONGEST)
    if (found := len(words(text))) > MOST_WORDS:
        raise BadTranscript(TranscriptFault.TOO_MANY_WORDS, found=found, most=MOST_WORDS)
    if "\0" in text:
        raise BadTranscript(TranscriptFault.ZERO_CHARACTER)


def words(text: str) -> list[str]:
    """The words of a text, in order, in the form in which votes compare them.

    Lower case and NFKC; every punctuation mark and symbol but an apostrophe inside a word separates (so a
    hyphen makes two words); scripts written without spaces give one word a character; `[unclear]` is a word.
    Lower case and not `casefold`, which misspells what is published: Straße as strasse, οδός as οδόσ.

    >>> words("Hey, Mycroft: what’s on at twenty-one? [unclear]")
    ['hey', 'mycroft', "what's", 'on', 'at', 'twenty', 'one', '[unclear]']
    >>> words("¿Qué día es?")
    ['qué', 'día', 'es']
    """
    found: list[str] = []
    # Most texts are ASCII but for an apostrophe, and those take a tenth of the time.
    plain = text.translate(_APOSTROPHES)
    ascii = plain.isascii()
    for number, part in enumerate((plain.lower() if ascii else _canonical(text)).split(UNCLEAR)):
        if number:
            found.append(UNCLEAR)
        if ascii:
            found.extend(_ASCII_TOKEN.findall(part))
            continue
        found.extend(part[slice(*token.span())] for token in _TOKEN.finditer(part.translate(_SHAPES)))
    return found


def join(words: Iterable[str]) -> str:
    """The text of words: a space between two, but none inside a script that writes none.

    >>> join(["play", "東", "京"])
    'play 東京'
    """
    text = ""
    for word in words:
        text += f" {word}" if text and _apart(text[-1], word[0]) else word
    return text


def text(text: str) -> str:
    """A text in normal form. Doing it twice changes nothing.

    >>> text("  O'Neill’s   café!! ")
    "o'neill's café"
    """
    return join(words(text))


def _canonical(text: str) -> str:
    # Format characters (soft hyphen, direction marks) go first: they keep an accent from its letter. The
    # zero-width space is one of them, but it stands between words.
    kept = (c for c in text.replace("\u200b", " ") if c in _JOINERS or unicodedata.category(c) != "Cf")
    typed = unicodedata.normalize("NFKC", "".join(kept).translate(_APOSTROPHES))
    # Lower case can leave a letter and its accent apart where the capital had no composed form.
    lowered = unicodedata.normalize("NFKC", typed.lower()).translate(_APOSTROPHES)
    for apart, vowel in _VOWELS_AM.items():
        lowered = lowered.replace(apart, vowel)
    return lowered


def _apart(last: str, first: str) -> bool:
    """Does a space stand between words that end and begin so? Two halves of a vowel would become it."""
    return not (_unspaced(last) and _unspaced(first)) or last + first in _VOWELS_AM


def _unspaced(character: str) -> bool:
    # A combining mark of such a script lies in the same block as its letters.
    code = ord(character)
    return code >= 0x0E00 and any(first <= code <= last for first, last in _UNSPACED)


def _shape(character: str) -> str:
    """`w` of a spaced word, `c` a word by itself, `m` a mark on the one before, `j` a joiner, or a space."""
    if character in _JOINERS:
        return "j"
    match unicodedata.category(character)[0]:
        case "L" | "N":
            return "c" if _unspaced(character) else "w"
        case "M":
            return "m"
    return " "


class _Shapes(dict[int, str]):
    """The shape of each code point met so far, for `str.translate`."""

    def __missing__(self, code: int) -> str:
        self[code] = shape = _shape(chr(code))
        return shape


_SHAPES = _Shapes()

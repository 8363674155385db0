"""The normal form of a transcript, in which votes are counted and training formats are written.

Typed text varies where speech does not: case, punctuation, the shape of an apostrophe, the encoding of an
accent. This module removes only these differences: accents stay, numbers stay as typed, and nothing is
translated or corrected. What only the spelling of one language tells is in datasets.spelling.
"""

import re
import unicodedata
from collections.abc import Iterable
from enum import StrEnum

from accounts.refusals import Refusal

from . import spelling

# Raised by one whenever the same text may get another normal form. Transcripts remember by which they were
# settled. In form 1 no language counted: it is that of a text without a language. Before form 3, `[private]`
# was the word private.
FORM = 3

UNCLEAR = "[unclear]"
PRIVATE = "[private]"  # what was said in seconds that were silenced
LONGEST = 2_000  # characters of one transcript; 30 seconds of speech need a quarter of that
MAX_WORDS = 300  # characters, in scripts without spaces. Aligning two transcripts costs the product

# Matches a token in the *shape* of a text, which has one letter for each character (see `_shape`), because
# Python's `re` knows neither combining marks nor scripts. A token is a character of an unspaced script with
# its marks, or a word that begins with a letter or digit and has joiners only inside.
_TOKEN = re.compile(r"cm*|w[wm]*(?:j[wm]+)*")

_MARKER, _UNCLEAR_ALONE = re.compile(r"(\[(?:unclear|private)\])"), re.compile(r"(\[unclear\])")

# The same for ASCII text.
_ASCII_TOKEN = re.compile(r"[a-z0-9]+(?:'[a-z0-9]+)*")

# Characters that people type as an apostrophe. They are replaced before NFKC, which turns the acute accent
# into a space.
_APOSTROPHES = str.maketrans(dict.fromkeys("\u2018\u2019\u201b\u02bc\u02b9\u2032\u00b4\u0060\uff07", "'"))

# Zero-width joiner and non-joiner are part of the spelling in Persian and in Indic scripts.
_JOINERS = "'\u200c\u200d"

# NFKC splits the vowels AM of Thai and Lao, which keyboards and alphabets treat as one letter.
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


def check(text: str, language: str) -> None:
    """Raises BadTranscript, with `found` and `most` if it is too long.

    >>> check("la " * 301, "en")
    Traceback (most recent call last):
    datasets.normalise.BadTranscript: transcript-too-many-words: found=301, most=300
    """
    if len(text) > LONGEST:
        raise BadTranscript(TranscriptFault.TOO_LONG, found=len(text), most=LONGEST)
    if (found := len(words(text, language))) > MAX_WORDS:
        raise BadTranscript(TranscriptFault.TOO_MANY_WORDS, found=found, most=MAX_WORDS)
    if "\0" in text:
        raise BadTranscript(TranscriptFault.ZERO_CHARACTER)


def words(text: str, language: str, form: int = FORM) -> list[str]:
    """The words of a text in this language, in order, in the form in which votes are compared.

    Lower case and NFKC. Every punctuation mark and symbol separates words (a hyphen makes two words), except
    an apostrophe inside a word. In scripts without spaces each character is a word. `[unclear]` and
    `[private]` are words.
    `lower` and not `casefold`, which would misspell published text: Straße as strasse, οδός as οδόσ.
    `language`: its code; "" if it is not known, then only what holds in all languages is done. `form`: an
    earlier one, to compare texts as they were compared then.

    >>> words("Hey, Mycroft: what’s on at twenty-one? [unclear]", "en")
    ['hey', 'mycroft', "what's", 'on', 'at', 'twenty', 'one', '[unclear]']
    >>> words("IŞIK", "tr"), words("IŞIK", "")
    (['ışık'], ['işik'])
    """
    # Most texts are ASCII except for apostrophes, and the ASCII pattern takes a tenth of the time.
    plain = text.translate(_APOSTROPHES)
    ascii = plain.isascii()
    if language and not (ascii and spelling.of(language).is_plain):
        return _words_of(text, spelling.of(language), form)
    found: list[str] = []
    for number, part in enumerate(_split(plain.lower() if ascii else _canonical(text), form)):
        if number % 2:
            found.append(part)
        elif ascii:
            found.extend(_ASCII_TOKEN.findall(part))
        else:
            found.extend(part[slice(*token.span())] for token in _TOKEN.finditer(part.translate(_SHAPES)))
    return found


def _words_of(text: str, rules: spelling.Spelling, form: int) -> list[str]:
    found: list[str] = []
    for number, part in enumerate(_split(_spelled(text, rules), form)):
        if number % 2:
            found.append(part)
            continue
        spans = (token.span() for token in _TOKEN.finditer(part.translate(_SHAPES_WITH_STAND_INS)))
        found.extend(part[start:end].translate(_STOOD_FOR) for start, end in spans)
    return list(map(rules.of_word, found)) if rules.of_word else found


def _split(text: str, form: int) -> list[str]:
    """Text and markers by turns: the text before the first marker, that marker, the text after it, …"""
    if "[" not in text:
        return [text]
    return (_MARKER if form >= 3 else _UNCLEAR_ALONE).split(text)


def _spelled(text: str, rules: spelling.Spelling) -> str:
    """As `_canonical`, by the rules of a language."""
    # Composed first, because some apostrophes and their decompositions are different characters.
    composed = unicodedata.normalize("NFC", text).translate(_WITHOUT)
    kept = (c for c in composed if c in _JOINERS or unicodedata.category(c) != "Cf")
    typed = unicodedata.normalize("NFKC", "".join(kept).translate(_APOSTROPHES)).translate(_APOSTROPHES)
    for rule in rules.as_typed:
        typed = rule(typed)
    lowered = unicodedata.normalize("NFKC", typed.translate(rules.capitals).lower()).translate(_APOSTROPHES)
    for rule in rules.rules:
        lowered = rule(lowered)
    # The dot that a capital I with a dot leaves behind, and that Lithuanian writes below accents.
    lowered = unicodedata.normalize("NFC", _COVERED_DOT.sub(r"\1", lowered))
    for apart, vowel in _VOWELS_AM.items():
        lowered = lowered.replace(apart, vowel)
    return lowered


def join(words: Iterable[str]) -> str:
    """Words as a text, with a space between two unless their script is written without spaces.

    >>> join(["play", "東", "京"])
    'play 東京'
    """
    text = ""
    for word in words:
        text += f" {word}" if text and _needs_space(text[-1], word[0]) else word
    return text


def text(text: str, language: str) -> str:
    """A text in normal form. Normalising it again changes nothing.

    >>> text("  O'Neill’s   café!! ", "en")
    "o'neill's café"
    """
    return join(words(text, language))


def _canonical(text: str) -> str:
    # Format characters (soft hyphen, direction marks) are removed first: they separate an accent from its
    # letter. The zero-width space is one of them, but it separates words.
    kept = (c for c in text.replace("\u200b", " ") if c in _JOINERS or unicodedata.category(c) != "Cf")
    typed = unicodedata.normalize("NFKC", "".join(kept).translate(_APOSTROPHES))
    # Lower case can leave a letter and its accent apart if the capital had no composed form.
    lowered = unicodedata.normalize("NFKC", typed.lower()).translate(_APOSTROPHES)
    for apart, vowel in _VOWELS_AM.items():
        lowered = lowered.replace(apart, vowel)
    return lowered


def _needs_space(last: str, first: str) -> bool:
    """Whether a space goes between words that end and begin with these characters.

    Two halves of a vowel AM need one: joined, they would become that vowel.
    """
    return not (is_unspaced(last) and is_unspaced(first)) or last + first in _VOWELS_AM


def is_unspaced(character: str) -> bool:
    """Whether it is of a script written without spaces between words."""
    # Combining marks of these scripts are in the same blocks as their letters.
    code = ord(character)
    return code >= 0x0E00 and any(first <= code <= last for first, last in _UNSPACED)


def _shape(character: str) -> str:
    """`w`: part of a spaced word, `c`: a whole word, `m`: a mark, `j`: a joiner, a space: anything else."""
    if character in _JOINERS:
        return "j"
    match unicodedata.category(character)[0]:
        case "L" | "N":
            return "c" if is_unspaced(character) else "w"
        case "M":
            return "m"
    return " "


class _Shapes(dict[int, str]):
    """The shape of each code point seen so far, for `str.translate`."""

    def __missing__(self, code: int) -> str:
        self[code] = shape = _shape(chr(code))
        return shape


_SHAPES = _Shapes()
_SHAPES_WITH_STAND_INS = _Shapes(dict.fromkeys(map(ord, spelling.STAND_INS), "w"))
_STOOD_FOR = str.maketrans(spelling.STAND_INS)

# What no reader sees, besides format characters: fillers, variation selectors, the joiner of graphemes. The
# zero-width space separates words. What stands for something else later is none of the text's own.
_INVISIBLE = (0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0)
_WITHOUT: dict[int, str] = {
    **dict.fromkeys([*_INVISIBLE, *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)], ""),
    **dict.fromkeys([0x200B, *map(ord, spelling.STAND_INS)], " "),
}
_COVERED_DOT = re.compile("([ijįị])\u0307")

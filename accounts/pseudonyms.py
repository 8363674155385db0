"""Which pseudonyms people may choose: letters of any script with their marks, and digits; nothing unseen."""

import unicodedata

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

PUNCTUATION = "@.+-_"
# Marks on one letter: more than any script needs, and too few to cover the lines above and below.
MOST_MARKS = 6
ZERO_WIDTH_NON_JOINER, ZERO_WIDTH_JOINER = JOINERS = "\u200c\u200d"
_VIRAMA = 9  # the canonical combining class of the marks that join consonants
# Fillers, variation selectors and so on: Unicode counts them among letters and marks, but no one sees them.
_INVISIBLE = frozenset(
    map(
        chr,
        [
            *(0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0),
            *range(0x180B, 0x1810),
            *range(0xFE00, 0xFE10),
            *range(0xE0000, 0xE1000),
        ],
    )
)


def check(pseudonym: str) -> None:
    """Raises ValidationError, which names the first character that is not allowed.

    >>> check("हिन्दी"), check("สมชาย"), check("مُحَمَّد")
    (None, None, None)
    """
    text = unicodedata.normalize("NFC", pseudonym)
    marks = 0
    for place, character in enumerate(text):
        kind = unicodedata.category(character)
        marks = marks + 1 if kind in {"Mn", "Mc"} else 0
        if _is_invisible(character, kind) and not _joins(text, place):
            raise ValidationError(
                _("Character %(place)d (%(code)s) cannot be seen. Write the name without it."),
                code="invisible",
                params={"place": place + 1, "code": f"U+{ord(character):04X}"},
            )
        if marks and not _may_carry(text, place - marks):
            raise ValidationError(
                _("The mark at place %(place)d has no letter before it."),
                code="loose_mark",
                params={"place": place + 1},
            )
        if marks > MOST_MARKS:
            raise ValidationError(
                _("More than %(most)d marks on one letter cannot be read."),
                code="too_many_marks",
                params={"most": MOST_MARKS},
            )
        if not (marks or kind[0] in "LN" or character in PUNCTUATION + JOINERS):
            raise ValidationError(
                _("A pseudonym can have letters, digits and @ . + - _, but not “%(character)s”."),
                code="not_allowed",
                params={"character": character},
            )


def _is_invisible(character: str, kind: str) -> bool:
    return kind in {"Cf", "Cc", "Zl", "Zp"} or character in _INVISIBLE


def _may_carry(text: str, place: int) -> bool:
    """Whether the character before a run of marks can have them: a letter, a digit, or a joiner after one."""
    return place >= 0 and (unicodedata.category(text[place])[0] in "LN" or text[place] in JOINERS)


def _joins(text: str, place: int) -> bool:
    """Whether the character is a joiner where spelling has one (UAX 31, section 2.3).

    After a mark that joins consonants; and, as a gap, between two Arabic letters.
    """
    before, after = text[:place], text[place + 1 : place + 2]
    if text[place] not in JOINERS or not before:
        return False
    if unicodedata.combining(before[-1]) == _VIRAMA:
        return True
    return text[place] == ZERO_WIDTH_NON_JOINER and _is_arabic(before[-1]) and _is_arabic(after)


def _is_arabic(character: str) -> bool:
    return bool(character) and unicodedata.name(character, "").startswith("ARABIC LETTER")

"""What the spelling of a language adds to the normal form of a text, see datasets.normalise. Pure.

Unicode alone does not say which letter a capital I becomes, which apostrophe is a letter, and which marks a
reader adds as they please. Each rule here belongs to the languages in whose spelling it holds.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache

from . import languages

Rule = Callable[[str], str]

# Marks between or at the ends of letters that belong to the word. While a text is split into words, these
# letters of the private use area stand for them; the text itself has none of those by then.
STAND_INS = {"\ue000": "'", "\ue001": "\u05f3", "\ue002": "\u05f4", "\ue003": "\u00b7"}
_APOSTROPHE, _GERESH, _GERSHAYIM, _MIDDLE_DOT = STAND_INS


@dataclass(frozen=True)
class Spelling:
    """`as_typed`: rules for the text in NFKC, before it is lower case; `capitals`: letters whose lower case
    is the language's own; `rules`: for the text in lower case; `of_word`: for each word that was found."""

    as_typed: tuple[Rule, ...] = ()
    capitals: Mapping[int, str] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    of_word: Rule | None = None

    @property
    def is_plain(self) -> bool:
        """Whether Unicode's own rules are enough."""
        return not (self.as_typed or self.capitals or self.rules or self.of_word)


def _replace(pattern: str, by: str) -> Rule:
    compiled = re.compile(pattern)
    return lambda text: compiled.sub(by, text)


def _translate(letters: str, to: str) -> Rule:
    table = str.maketrans(letters, to)
    return lambda text: text.translate(table)


# Letter with marks: `\w` knows no marks, and an underscore is no letter.
_LETTER = r"(?:[^\W_]|[\u0300-\u036f])"
_QUOTED_OR_NOT = re.compile(rf"(?<![\w'])('?)({_LETTER}+(?:'{_LETTER}+)*)('?)(?![\w'])")


def _outer_apostrophes(first: str = r"(?!)", last: bool = False) -> Rule:
    """Apostrophes that belong to a word though they begin it, in words like `first`, or end it, if `last`.

    Those on both sides are quotation marks.
    """
    begins = re.compile(first)

    def keep(found: re.Match[str]) -> str:
        opening, word, closing = found.groups()
        if opening and closing:
            return str(found[0])
        if opening and begins.fullmatch(word):
            return _APOSTROPHE + word
        if closing and last and word[-1].isalpha():
            return word + _APOSTROPHE
        return str(found[0])

    return lambda text: _QUOTED_OR_NOT.sub(keep, text)


# Short vowels and other signs of recitation, which most writers leave out, and the stroke that widens a word.
_HARAKAT = (
    "\u0610-\u061a\u064b-\u0652\u0656-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed"
    "\u08d3-\u08e1\u08e3-\u08ff"
)
_TATWEEL = "\u0640"
_POINTS = "\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7"
_HEBREW = "\u05d0-\u05ea\u05f0-\u05f2"
_POINTED = _HEBREW + _POINTS

_turkic = Spelling(capitals=str.maketrans({"I": "ı", "İ": "i"}))

_bare_arabic = _replace(f"[{_TATWEEL}{_HARAKAT}]", "")
_arabic = Spelling(rules=(_bare_arabic,))
# Keyboards for Arabic write two letters of Persian and Urdu by others, which look the same within a word.
_persian = Spelling(rules=(_bare_arabic, _translate("\u064a\u0649\u0643", "\u06cc\u06cc\u06a9")))
_widened = Spelling(rules=(_replace(_TATWEEL, ""),))

_abbreviations = (
    # Not the mark that opens a quotation after a prefix, which has its counterpart at the end of the word.
    _replace(
        rf"(?<=[{_POINTED}])(?:[\"\u05f4\u201d\u201c]|'')(?=[{_HEBREW}])(?![{_POINTED}]*\")", _GERSHAYIM
    ),
    _replace(rf"(?<=[{_POINTED}])['\u05f3](?=[{_HEBREW}])", _GERESH),
    _replace(rf"(?<=[{_POINTED}])\u05f3", _GERESH),
    _replace(rf"(?<!['{_POINTED}])([{_HEBREW}][{_POINTED}\ue001\ue002]*)'(?![{_POINTED}'])", rf"\1{_GERESH}"),
)
_hebrew = Spelling(rules=(_replace(f"[{_POINTS}]", ""), *_abbreviations))
_ligatures = tuple(map(_replace, "\u05f0\u05f1\u05f2", ("\u05d5\u05d5", "\u05d5\u05d9", "\u05d9\u05d9")))
_yiddish = Spelling(rules=(*_ligatures, *_abbreviations))

_DOTS = "\u00b7\u2022\u2027\u2219\u22c5\u30fb"
_catalan = Spelling(
    # A full stop only if both letters have the same case: after the end of a sentence comes a capital.
    as_typed=(
        _replace(r"(?<=[^\W\d_]l)\.(?=l[^\W\d_])|(?<=[^\W\d_]L)\.(?=L[^\W\d_])", _MIDDLE_DOT),
        _replace(rf"(?<=[lL])[{_DOTS}](?=[lL])", _MIDDLE_DOT),
    )
)
_occitan = Spelling(as_typed=(_replace(rf"(?<=[^\W\d_])[{_DOTS}](?=[^\W\d_])", _MIDDLE_DOT),))

_OKINA = "\u02bb"
_hawaiian = Spelling(
    rules=(
        _replace(rf"['{_OKINA}\u02bd]+(?=[^\W\d_{_OKINA}])", _OKINA),
        _replace(rf"{_OKINA}(?![^\W\d_{_OKINA}])", "'"),
    )
)
_uzbek = Spelling(rules=(_replace(rf"(?<=[og])['{_OKINA}\u02bd]", _OKINA),))


def _greek_sigma(word: str) -> str:
    """The sigma of the end at the end of a word, and only there."""
    inner, last = word[:-1], word[-1]
    return inner.replace("ς", "σ") + ("ς" if inner and last == "σ" else last)


# Unicode has letters of their own for what older texts wrote with a joiner.
_CHILLUS = {
    "\u0d23": "\u0d7a",
    "\u0d28": "\u0d7b",
    "\u0d30": "\u0d7c",
    "\u0d32": "\u0d7d",
    "\u0d33": "\u0d7e",
}
_CHILLUS |= {"\u0d15": "\u0d7f"}

_BY_LANGUAGE: dict[str, Spelling] = {
    **dict.fromkeys(("tr", "az", "azj", "crh", "gag", "kk", "ota", "tt"), _turkic),
    **dict.fromkeys(
        ("ar", "arb", "acm", "aeb", "afb", "ajp", "apc", "apd", "arq", "ars", "ary", "arz", "ayl"), _arabic
    ),
    **dict.fromkeys(("fa", "pes", "prs", "ur", "pnb", "skr"), _persian),
    **dict.fromkeys(("ps", "sd", "bal", "ms"), _arabic),
    **dict.fromkeys(("ckb", "ug", "ks", "azb"), _widened),
    **dict.fromkeys(("he", "iw"), _hebrew),
    **dict.fromkeys(("yi", "lad"), _yiddish),
    **dict.fromkeys(("haw", "to", "sm", "ty"), _hawaiian),
    **dict.fromkeys(("uz", "uzn"), _uzbek),
    **dict.fromkeys(("el", "grc"), Spelling(of_word=_greek_sigma)),
    "ca": _catalan,
    "oc": _occitan,
    "af": Spelling(rules=(_outer_apostrophes("[nkt]"),)),
    "nl": Spelling(rules=(_outer_apostrophes("[kmnrst]|ns"),)),
    "fy": Spelling(rules=(_outer_apostrophes("[kmnrste]"),)),
    "nds": Spelling(rules=(_outer_apostrophes("[nst]"),)),
    "cy": Spelling(rules=(_outer_apostrophes("[mnrw]|ch|th|ma|na|di"),)),
    "gd": Spelling(rules=(_outer_apostrophes("[nsm]|na[mnr]?|sa[mn]?|ga|ad"),)),
    "nap": Spelling(rules=(_outer_apostrophes("[aeio]|n[au]"),)),
    "scn": Spelling(rules=(_outer_apostrophes("[aiun]|n[au]|nta"),)),
    "ha": Spelling(rules=(_outer_apostrophes("y.+"),)),
    **dict.fromkeys(("mt", "so", "nv"), Spelling(rules=(_outer_apostrophes(last=True),))),
    # Keyboards without the apostrophe have its place taken by a quotation mark.
    **dict.fromkeys(("uk", "be"), Spelling(rules=(_replace(r"(?<=[^\W\d_])[\"\u201d](?=[^\W\d_])", "'"),))),
    # The marks of stress, question and exclamation stand within the word, and are not spoken letters. NFKC
    # splits the letter ev.
    "hy": Spelling(rules=(_replace("[\u055b\u055c\u055e]", ""), _replace("\u0565\u0582", "\u0587"))),
    "hyw": Spelling(rules=(_replace("[\u055b\u055c\u055e]", ""),)),
    # Fonts of the nineties had the cedilla for the comma.
    "ro": Spelling(rules=(_translate("\u015f\u0163", "\u0219\u021b"),)),
    # The joiners only choose between two shapes of one cluster. (In Marathi and Nepali they spell.)
    **dict.fromkeys(("hi", "bho", "mai", "awa", "sa"), Spelling(rules=(_replace("[\u200c\u200d]", ""),))),
    "bn": Spelling(rules=(_replace("\u09a4\u09cd\u200d", "\u09ce"),)),
    "as": Spelling(rules=(_replace("\u09a4\u09cd\u200d", "\u09ce"),)),
    "ml": Spelling(rules=tuple(_replace(f"{c}\u0d4d\u200d", atom) for c, atom in _CHILLUS.items())),
}
PLAIN = Spelling()


@cache
def of(language: str) -> Spelling:
    """The spelling of a language by its code.

    >>> of("tr-TR").capitals[ord("I")], of("en").is_plain
    ('ı', True)
    """
    return _BY_LANGUAGE.get(languages.primary(language), PLAIN)

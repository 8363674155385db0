"""Signs that something private is said: digits, e-mail addresses, spelled letters, given names.

They only order the checks before publication, and clear nothing: what they miss is heard all the same.
Numbers that are written as words are not looked for.
"""

import re
import unicodedata
from functools import cache
from importlib import import_module

from tagger.consensus import frequencies

MOST = 99
SPELLED = 3  # single letters in a row
# A name that is this common as a word, such as “will”, says nothing. On wordfreq's Zipf scale.
COMMON = 5.6

EMAIL = re.compile(r"\S@\S|\bhttps?:|\bwww\.")
WORD = re.compile(r"[^\W\d_]+")
SINGLE = re.compile(rf"(?:(?<!\w)[^\W\d_](?!\w)[\s.,-]*){{{SPELLED},}}")

# Faker's lists of given names. People have names of any language, so each list counts everywhere.
LISTS = ("en_US", "en_GB", "es_ES", "es_MX", "ar_AA", "de_DE", "fr_FR")


def count(text: str, language: str) -> int:
    """How many signs there are, up to MOST.

    >>> count("call ada on 555 0199", "en"), count("j o h n", "en"), count("i will call you", "en")
    (3, 1, 0)
    """
    folded = _folded(text)
    numbers = len(re.findall(r"\d+", folded))
    found = numbers + len(EMAIL.findall(folded)) + len(SINGLE.findall(folded))
    zipf = frequencies.of_language(language)
    names = (word for word in WORD.findall(folded) if len(word) > 1 and word in given_names())
    return min(found + sum((zipf(word) or 0) < COMMON for word in names), MOST)


@cache
def given_names() -> frozenset[str]:
    """Of all lists, folded as `count` folds words. A quarter of a second on first use, in a worker."""
    found: set[str] = set()
    for name in LISTS:
        # Its package is loaded by a worker that counts, and by no other process of a site.
        provider = import_module(f"faker.providers.person.{name}").Provider
        for each in ("first_names", "first_names_male", "first_names_female"):
            found.update(getattr(provider, each, ()))
    return frozenset(_folded(name) for name in found)


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold()

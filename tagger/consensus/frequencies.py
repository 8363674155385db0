"""How common a word is in its language, from the lists of wordfreq.

R. Speer, rspeer/wordfreq (2022), doi:10.5281/zenodo.7199437. The crowd's own lexicon knows the names that
recur; these lists know which spellings are words at all.
"""

import math
from collections.abc import Callable, Mapping
from functools import cache, lru_cache, partial

from datasets import languages

# The Zipf value of a word: the base-10 logarithm of its occurrences per billion words, 0 if it is not in the
# list. None where there is nothing to count: for digits, and in a language without a list.
Frequency = Callable[[str], float | None]

# Words whose values are cached per language: a few megabytes.
CACHED_WORDS = 50_000


@cache
def of_language(language: str) -> Frequency:
    """The frequencies of a language by its code (`en`, `en-GB`); its list is read on first use.

    >>> common, rare = map(of_language("en"), ("know", "knoll"))
    >>> common > rare > of_language("en")("knowwl"), of_language("und")("know")
    (True, None)
    """
    # Its import takes a third of a second, and of a site's processes only one ever counts words.
    from wordfreq import available_languages, get_frequency_dict  # noqa: PLC0415

    code = languages.primary(language)
    if code not in available_languages("best"):
        return _unknown
    return lru_cache(CACHED_WORDS)(partial(_zipf, get_frequency_dict(code, "best")))


def _unknown(word: str) -> None:
    return None


def _zipf(shares: Mapping[str, float], word: str) -> float | None:
    """Of several words in one slot ("air tight"), wordfreq's combination: 1 / (1 / f1 + 1 / f2 + …)."""
    if any(map(str.isdigit, word)):
        return None
    parts = [shares.get(part, 0.0) for part in word.split()]
    if not all(parts):
        return 0.0
    return round(max(9 - math.log10(sum(1 / part for part in parts)), 0.0), 2) if parts else 0.0

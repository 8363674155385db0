"""The language of a crowd's texts, where nobody says it: by how common their words are in the languages of
wordfreq.

R. Speer, rspeer/wordfreq (2022), doi:10.5281/zenodo.7199437.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache
from itertools import chain, islice
from math import log
from typing import NamedTuple

from .network import Words

# How many of a language's commonest words count: most of what people say, in some megabytes for all of them.
COMMONEST = 5_000
# What share of all words must be among them, lest texts in a language without a list are taken for the one
# that is nearest to it.
LEAST_LISTED = 0.6
# How many times as likely the texts must be in it as in any other language.
LEAST_ODDS = 100
# wordfreq sorts words into bins by how common they are, 100 for each power of ten. A word that is not among
# the commonest counts as rarer than all that are.
BINS, UNLISTED = 100, 600


class _Fit(NamedTuple):
    """How well texts fit a language: the logarithm of their likelihood, and its list's share of the words."""

    likelihood: float
    listed: float
    language: str


def guess(texts: Iterable[Words]) -> str:
    """The language in which the words of these texts are most likely; "" if that is unclear.

    In scripts without spaces each character is a word.

    >>> guess([("no", "sé", "dónde", "está")]), guess([("xyzzy", "plugh")]), guess([])
    ('es', '', '')
    """
    counts = Counter(chain.from_iterable(texts))
    if not counts:
        return ""
    fits = (_fit(counts, language, bins) for language, bins in _bins().items())
    best, second = sorted(fits, reverse=True)[:2]
    is_clear = best.likelihood - second.likelihood >= log(LEAST_ODDS) and best.listed >= LEAST_LISTED
    return best.language if is_clear else ""


def _fit(counts: Counter[str], language: str, bins: Mapping[str, int]) -> _Fit:
    listed = counts.keys() & bins.keys()
    known = sum(counts[word] for word in listed)
    unknown = counts.total() - known
    sizes = sum(counts[word] * bins[word] for word in listed) + unknown * UNLISTED
    return _Fit(-log(10) * sizes / BINS, known / counts.total(), language)


@cache
def _bins() -> dict[str, dict[str, int]]:
    """The bin of each of a language's commonest words. To read all lists takes more than a second, once."""
    # Its import takes a third of a second; see frequencies.of_language.
    from wordfreq import available_languages, get_frequency_list  # noqa: PLC0415

    found = {}
    for language in available_languages("small"):
        placed = (
            (word, bin) for bin, words in enumerate(get_frequency_list(language, "small")) for word in words
        )
        found[language] = dict(islice(placed, COMMONEST))
        get_frequency_list.cache_clear()  # it would keep the whole lists of all languages, 100 MB
    return found

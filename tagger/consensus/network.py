"""Transcripts aligned into a network of words: slots, and in each slot the word of every transcript.

The method is ROVER: J. Fiscus, A post-processing system to yield reduced word error rates (1997),
doi:10.1109/ASRU.1997.659110, with two changes. ROVER adds transcripts in turn and depends on their order;
here the order follows from the texts: the most central one first, then the nearest to it. And the words that
all transcripts share are found first, so that only the stretches between them, a few words each, need a
costly alignment, by the similarity of the words' characters.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import combinations, groupby, zip_longest
from operator import mul

from rapidfuzz.distance import Editops, Levenshtein

Words = tuple[str, ...]

NO_WORD = ""

# The most pairs of words that are aligned by their characters; with more it takes more time than it is worth.
MAX_CELLS = 2500

# Alignment costs: SUBSTITUTION to 1 for a substitution, depending on the characters; GAP for an insertion or
# a deletion. A gap costs less than two dissimilar words in one slot, so each word goes where it is similar.
SUBSTITUTION, GAP = 0.4, 0.75

# The range of characters that stand for words: about a million, above the surrogates.
FIRST_CHARACTER, END = 0xE000, 0x110000


class Alphabet(dict[str, str]):
    """One character for each word seen so far, so that alignment of texts runs in C."""

    def __missing__(self, word: str) -> str:
        self[word] = character = chr(FIRST_CHARACTER + len(self) % (END - FIRST_CHARACTER))
        return character

    def spelled(self, texts: Iterable[Words]) -> list[str]:
        """The texts with one character for each of their words.

        >>> one, other = Alphabet().spelled([("no", "oh", "no"), ("oh",)])
        >>> len(one), one[1] == other
        (3, True)
        """
        if len(self) > (END - FIRST_CHARACTER) // 2:
            self.clear()
        return ["".join(map(self.__getitem__, text)) for text in texts]


def weave(
    texts: Sequence[Words],
    times: Sequence[int],
    bridge: Callable[[list[Words]], list[Words]] = list,
    alphabet: Alphabet | None = None,
) -> list[list[str]]:
    """The aligned texts, one row of slots each; `NO_WORD` marks a slot in which a text has no word.

    `texts` are distinct, and `times` is how often each was given. `bridge` may rewrite the texts of a stretch
    before they are aligned, to bring variants together. An `alphabet` may be reused for many tasks.

    >>> weave([("hello", "world"), ("hello",), ("hello", "word")], [1, 1, 1])
    [['hello', 'world'], ['hello', ''], ['hello', 'word']]
    """
    woven: list[list[str]] = [[] for _ in texts]
    alphabet = Alphabet() if alphabet is None else alphabet
    spelled = alphabet.spelled(texts)
    order = _centre_first(spelled, texts, times)
    starts = [0] * len(texts)
    for places, size in [*_shared_runs(spelled, order[0]), ([len(text) for text in texts], 0)]:
        if places != starts:
            stretch = [text[start:end] for text, start, end in zip(texts, starts, places, strict=True)]
            if max(map(len, stretch)) > 1:
                stretch = _weave_stretch(bridge(stretch), order, alphabet)
            for row, words in zip(woven, stretch, strict=True):
                row += words or (NO_WORD,)
        shared = texts[0][places[0] : places[0] + size]
        for row in woven:
            row += shared
        starts = [place + size for place in places]
    return woven


def edit_distance(one: Words, other: Words) -> int:
    """The words to insert, delete or substitute to turn one text into the other (Levenshtein).

    >>> edit_distance(("a", "b", "c"), ("a", "c"))
    1
    """
    return Levenshtein.distance(one, other)


def _centre_first(spelled: list[str], texts: Sequence[Words], times: Sequence[int]) -> list[int]:
    """The texts by number: the one with the least total edit distance to all others, then the nearest."""
    apart = _distances(spelled)
    reach = [_weighted_sum(row, times) for row in apart]
    numbers = range(len(texts))
    centre = min(numbers, key=lambda number: (reach[number], texts[number]))
    return sorted(numbers, key=lambda number: (apart[centre][number], texts[number]))


def _weighted_sum(distances: Iterable[int], times: Iterable[int]) -> int:
    return sum(map(mul, distances, times))


def _distances(texts: Sequence[str]) -> list[list[int]]:
    apart = [[0] * len(texts) for _ in texts]
    for one, other in combinations(range(len(texts)), 2):
        apart[one][other] = apart[other][one] = Levenshtein.distance(texts[one], texts[other])
    return apart


def _shared_runs(spelled: list[str], centre: int) -> list[tuple[list[int], int]]:
    """The runs of words that every text shares with the central one: their place in each text, and length."""
    middle = spelled[centre]
    shifts: list[list[int | None]] = []
    for text in spelled:
        shift: list[int | None] = [None] * len(middle)
        for block in Levenshtein.editops(middle, text).as_matching_blocks():
            place, size = block.a, block.size
            shift[place : place + size] = [block.b - place] * size
        shifts.append(shift)
    runs = []
    at = 0
    for moved, alike in groupby(zip(*shifts, strict=True)):
        size = len(list(alike))
        if None not in moved:
            runs.append(([at + by for by in moved], size))
        at += size
    return runs


def _weave_stretch(stretch: list[Words], order: list[int], alphabet: Alphabet) -> list[Words]:
    """Align one stretch between shared words; `order` is the order in which texts are added."""
    if max(map(len, stretch)) == 1:
        return stretch
    times: dict[Words, int] = {}
    for at in order:
        times[stretch[at]] = times.get(stretch[at], 0) + 1
    segments = list(times)
    apart = _distances([" ".join(text) for text in segments])
    reach = [_weighted_sum(row, times.values()) for row in apart]
    # Among equals the first one, which comes from the text nearest to the centre.
    centre = reach.index(min(reach))
    segments = [segments[number] for number in sorted(range(len(segments)), key=apart[centre].__getitem__)]
    spelled = alphabet.spelled(segments)
    columns = [[word] for word in segments[0]]
    for seen, text in enumerate(segments[1:], start=1):
        columns = _add(columns, text, seen, Levenshtein.editops(spelled[0], spelled[seen]))
    woven = dict(zip(segments, zip(*columns, strict=True), strict=True))
    return [woven[text] for text in stretch]


def _add(columns: list[list[str]], text: Words, seen: int, edits: Editops) -> list[list[str]]:
    """The columns with one more text: first the words that it shares with the central text, then the rest."""
    blocks = edits.as_matching_blocks()
    if len(blocks) == 1:  # only the empty block that ends every list
        return _add_words(columns, text, seen)
    central = [number for number, column in enumerate(columns) if column[0]]
    central.append(len(columns))
    woven: list[list[str]] = []
    i = j = 0
    for block in blocks:
        for step in range(block.size or 1):
            column, word = central[block.a + step], block.b + step
            if i < column or j < word:
                woven += _add_words(columns[i:column], text[j:word], seen)
            if block.size:
                columns[column].append(text[word])
                woven.append(columns[column])
            i, j = column + 1, word + 1
    return woven


def _add_words(columns: list[list[str]], text: Words, seen: int) -> list[list[str]]:
    if not columns:
        return [[*[NO_WORD] * seen, word] for word in text]
    if text and len(columns) + len(text) > 2:
        return align(columns, text)
    for column in columns:
        column.append(text[0] if text else NO_WORD)
    return columns


def substitution_cost(word: str, words: set[str]) -> float:
    """The cost of substituting a word by the most similar of some words: 0 if it is one of them."""
    if word in words:
        return 0.0
    nearest = min([Levenshtein.normalized_distance(word, other) for other in words])
    return SUBSTITUTION + (1 - SUBSTITUTION) * nearest


def align(columns: list[list[str]], text: Words) -> list[list[str]]:
    """The columns with one more text, aligned at the lowest cost that keeps the order of words."""
    if len(columns) * len(text) > MAX_CELLS:
        return _align_by_position(columns, text)
    skips = [0.0 if NO_WORD in column else GAP for column in columns]
    changes = [[substitution_cost(word, words) for word in text] for words in map(set, columns)]
    costs = [[GAP * j for j in range(len(text) + 1)]]
    for skip, change in zip(skips, changes, strict=True):
        costs.append(_next_row(costs[-1], skip, change))
    i, j = len(columns), len(text)
    woven: list[list[str]] = []
    while i or j:
        here = costs[i][j]
        if i and j and here == costs[i - 1][j - 1] + changes[i - 1][j - 1]:
            i, j = i - 1, j - 1
            woven.append([*columns[i], text[j]])
        elif i and here == costs[i - 1][j] + skips[i - 1]:
            i -= 1
            woven.append([*columns[i], NO_WORD])
        else:
            j -= 1
            woven.append([*[NO_WORD] * len(columns[0]), text[j]])
    return woven[::-1]


def _next_row(above: list[float], skip: float, change: list[float]) -> list[float]:
    # `min` of three would take most of an alignment's time.
    row = [least := above[0] + skip]
    for changed, skipped, cost in zip(above, above[1:], change, strict=False):
        least += GAP
        if (other := changed + cost) < least:
            least = other
        if (other := skipped + skip) < least:
            least = other
        row.append(least)
    return row


def _align_by_position(columns: list[list[str]], text: Words) -> list[list[str]]:
    """A fast alignment of very long stretches: the first word in the first slot, and so on."""
    new = [NO_WORD] * len(columns[0])
    return [
        [*column, word] if column else [*new, word]
        for column, word in zip_longest(columns, text, fillvalue=NO_WORD)
    ]

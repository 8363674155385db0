"""Transcripts woven into a network of words: slots, and in each the word of every transcript.

The method is ROVER: J. Fiscus, A post-processing system to yield reduced word error rates (1997),
doi:10.1109/ASRU.1997.659110. Two things differ. It weaves transcripts in one after another and so depends on
their order; here the order comes from the texts alone: the most central first, then the nearest to it. And
words that all of them hold are found first, so that only the stretches between, a few words each, are aligned
with care: by the closeness of the words' characters.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import chain, combinations, cycle
from operator import mul

from rapidfuzz.distance import Editops, Levenshtein

Words = tuple[str, ...]

# The word of each transcript at one place of the speech, in the order in which they were given.
Slot = tuple[str, ...]

NO_WORD = ""

# What may be aligned with care: over so many pairs of words it costs more time than it is worth.
CAREFUL = 2500

# Of the cost of changing a word, the part that does not depend on its characters. Changing costs from this to
# 1, leaving out or putting in 0.75: less than two unlike words in one slot, so that a word fits where it is
# alike.
UNLIKE, GAP = 0.4, 0.75

# Spells words as characters, so that alignment runs in C: above the surrogates there is room for a million.
FIRST_CHARACTER, END = 0xE000, 0x110000


def spelled_in_characters(texts: Sequence[Words]) -> list[str]:
    """The texts with a character for each different word of them."""
    different = dict.fromkeys(chain.from_iterable(texts))
    alphabet = dict(zip(different, map(chr, cycle(range(FIRST_CHARACTER, END))), strict=False))
    return ["".join(map(alphabet.__getitem__, text)) for text in texts]


def weave(
    texts: Sequence[Words], times: Sequence[int], bridge: Callable[[list[Words]], list[Words]] = list
) -> list[Slot]:
    """The slots of different texts, each of them given so many `times`.

    `bridge` may rewrite the texts of one stretch before they are aligned: it brings variants together.

    >>> weave([("hello", "world"), ("hello",), ("hello", "word")], [1, 1, 1])
    [('hello', 'hello', 'hello'), ('world', '', 'word')]
    """
    if len(texts) == 1:
        return [(word,) for word in texts[0]]
    spelled = spelled_in_characters(texts)
    order = _from_the_centre(spelled, texts, times)
    slots: list[Slot] = []
    starts = [0] * len(texts)
    for places in [*_shared(spelled, order[0]), [len(text) for text in texts]]:
        if places != starts:
            stretch = [text[start:end] for text, start, end in zip(texts, starts, places, strict=True)]
            slots.extend(_weave_stretch(bridge(stretch), order))
        if places[0] < len(texts[0]):
            slots.append((texts[0][places[0]],) * len(texts))
        starts = [place + 1 for place in places]
    return slots


def edit_distance(one: Words, other: Words) -> int:
    """Words to put in, leave out or change to get from one to the other (Levenshtein).

    >>> edit_distance(("a", "b", "c"), ("a", "c"))
    1
    """
    return Levenshtein.distance(one, other)


def _from_the_centre(spelled: list[str], texts: Sequence[Words], times: Sequence[int]) -> list[int]:
    apart = _distances(spelled)
    reach = [_product(row, times) for row in apart]
    numbers = range(len(texts))
    centre = min(numbers, key=lambda number: (reach[number], texts[number]))
    return sorted(numbers, key=lambda number: (apart[centre][number], texts[number]))


def _product(distances: Iterable[int], times: Iterable[int]) -> int:
    return sum(map(mul, distances, times))


def _distances(texts: Sequence[str]) -> list[list[int]]:
    apart = [[0] * len(texts) for _ in texts]
    for one, other in combinations(range(len(texts)), 2):
        apart[one][other] = apart[other][one] = Levenshtein.distance(texts[one], texts[other])
    return apart


def _shared(spelled: list[str], centre: int) -> list[list[int]]:
    """Where the words lie that every text holds, aligned with the central one: a place in each text."""
    middle = spelled[centre]
    places = []
    for number, text in enumerate(spelled):
        if number == centre:
            places.append(list(range(len(middle))))
            continue
        at = [-1] * len(middle)
        for block in Levenshtein.editops(middle, text).as_matching_blocks():
            at[block.a : block.a + block.size] = range(block.b, block.b + block.size)
        places.append(at)
    return [list(row) for row in zip(*places, strict=True) if -1 not in row]


def _weave_stretch(stretch: list[Words], order: list[int]) -> list[Slot]:
    """The slots of one stretch between shared words; the order is that in which texts are woven in."""
    if max(map(len, stretch)) == 1:
        return [tuple(text[0] if text else NO_WORD for text in stretch)]
    times = Counter(stretch[at] for at in order)
    segments = list(times)
    apart = _distances([" ".join(text) for text in segments])
    reach = [_product(row, times.values()) for row in apart]
    # Of equals the first that came, which the text nearer to the centre gave.
    centre = reach.index(min(reach))
    segments = [segments[number] for number in sorted(range(len(segments)), key=apart[centre].__getitem__)]
    spelled = spelled_in_characters(segments)
    columns = [[word] for word in segments[0]]
    for seen, text in enumerate(segments[1:], start=1):
        columns = _add(columns, text, seen, Levenshtein.editops(spelled[0], spelled[seen]))
    at = {text: number for number, text in enumerate(segments)}
    places = [at[text] for text in stretch]
    return [tuple([column[place] for place in places]) for column in columns]


def _add(columns: list[list[str]], text: Words, seen: int, edits: Editops) -> list[list[str]]:
    """The columns with the words of one more text: first those that the central text has, then the rest."""
    central = [number for number, column in enumerate(columns) if column[0]]
    central.append(len(columns))
    woven: list[list[str]] = []
    i = j = 0
    for block in edits.as_matching_blocks():
        for step in range(block.size or 1):
            column, word = central[block.a + step], block.b + step
            woven += _add_between(columns[i:column], text[j:word], seen)
            if block.size:
                woven.append([*columns[column], text[word]])
            i, j = column + 1, word + 1
    return woven


def _add_between(columns: list[list[str]], text: Words, seen: int) -> list[list[str]]:
    if not text:
        return [[*column, NO_WORD] for column in columns]
    if not columns:
        return [[*[NO_WORD] * seen, word] for word in text]
    if len(columns) == len(text) == 1:
        return [[*columns[0], text[0]]]
    return [[*(column or [NO_WORD] * seen), word] for column, word in align(columns, text)]


def unlike(word: str, words: set[str]) -> float:
    """What it costs to change a word to that of some words which is most like it."""
    if word in words:
        return 0.0
    return UNLIKE + (1 - UNLIKE) * min([Levenshtein.normalized_distance(word, other) for other in words])


def align(columns: list[list[str]], text: Words) -> list[tuple[list[str] | None, str]]:
    """The cheapest pairing of slots and words, in order; None: a new slot, NO_WORD: a slot without word."""
    if len(columns) * len(text) > CAREFUL:
        return _align_in_turn(columns, text)
    skips = [0.0 if NO_WORD in column else GAP for column in columns]
    different = [set(column) - {NO_WORD} for column in columns]
    changes = [[unlike(word, words) for word in text] for words in different]
    costs = [[GAP * j for j in range(len(text) + 1)]]
    for skip, change in zip(skips, changes, strict=True):
        above = costs[-1]
        row = [above[0] + skip]
        for j, cost in enumerate(change):
            row.append(min(above[j] + cost, above[j + 1] + skip, row[j] + GAP))
        costs.append(row)
    i, j = len(columns), len(text)
    pairs: list[tuple[list[str] | None, str]] = []
    while i or j:
        here = costs[i][j]
        if i and j and here == costs[i - 1][j - 1] + changes[i - 1][j - 1]:
            i, j = i - 1, j - 1
            pairs.append((columns[i], text[j]))
        elif i and here == costs[i - 1][j] + skips[i - 1]:
            i -= 1
            pairs.append((columns[i], NO_WORD))
        else:
            j -= 1
            pairs.append((None, text[j]))
    return pairs[::-1]


def _align_in_turn(columns: list[list[str]], text: Words) -> list[tuple[list[str] | None, str]]:
    """A pairing of very many slots and words that costs no time: the first with the first, and so on."""
    words = [*text, *[NO_WORD] * (len(columns) - len(text))]
    slots = [*columns, *[None] * (len(text) - len(columns))]
    return list(zip(slots, words, strict=True))

"""Transcripts to a text: a network of words, and a majority in each of its slots.

The method is ROVER: J. Fiscus, A post-processing system to yield reduced word error rates (1997),
doi:10.1109/ASRU.1997.659110. It weaves transcripts in one after another and so depends on their order;
here the order comes from the texts alone: the most central one first, then the nearest to it.
"""

from collections import Counter
from collections.abc import Sequence
from itertools import combinations

from datasets.normalise import join, words
from tagger.consensus.verdict import Rule, Verdict, Vote, refuse_repeats

Words = tuple[str, ...]

# Words at one place of the speech and the votes for each, in the order in which they came.
# The empty string is the vote that no word is here.
Slot = Counter[str]

NO_WORD = ""


def decide(votes: Sequence[Vote], rule: Rule) -> Verdict:
    """The verdict on one task's transcripts, whatever their order.

    The confidence is the mean over the slots of the share behind each slot's word. The answer is always the
    voted text, in normal form (None only without votes), so that a reviewer has a draft: where a slot is
    tied it holds the word of the transcript nearest to the centre, and the text is not settled.
    That nobody spoke is a text too, the empty one.

    `soft` holds `words`, one a slot: its `word` (empty: no word), `agreement` and the `votes` for each.
    Nothing in it says whose word a vote was. Raises ValueError naming an annotator who voted twice.

    >>> votes = [Vote("ann", "Hello, world"), Vote("bob", "hello word"), Vote("cy", "hello world")]
    >>> decide(votes, Rule(least=2, most=5, confidence=0.75)).answer
    'hello world'
    """
    refuse_repeats(votes)
    slots = network([tuple(words(vote.answer)) for vote in votes])
    agreement = _agreement(slots, len(votes))
    return Verdict(
        outcome=rule.outcome(len(votes), agreement, any(map(_tied, slots))),
        answer=join(filter(None, map(_leader, slots))) if votes else None,
        confidence=agreement,
        soft={"words": [_evidence(slot) for slot in slots]},
    )


def network(transcripts: Sequence[Words]) -> list[Slot]:
    """The transcripts aligned word by word; each slot counts one vote of every transcript.

    >>> network([("hello", "world"), ("hello",), ("hello", "word")])[0]
    Counter({'hello': 3})
    """
    slots: list[Slot] = []
    for seen, transcript in enumerate(_from_the_centre(transcripts)):
        slots = _weave(slots, transcript, seen)
    return slots


def edit_distance(one: Words, other: Words) -> int:
    """Words to put in, leave out or change to get from one to the other (Levenshtein).

    >>> edit_distance(("a", "b", "c"), ("a", "c"))
    1
    """
    one, other = _without_common_ends(one, other)
    above = list(range(len(other) + 1))
    for i, word in enumerate(one, start=1):
        row = [i]
        for j, candidate in enumerate(other):
            row.append(min(above[j] + (word != candidate), above[j + 1] + 1, row[j] + 1))
        above = row
    return above[-1]


def _without_common_ends(one: Words, other: Words) -> tuple[Words, Words]:
    # Transcripts of one clip are mostly alike, and a distance costs the product of the lengths.
    start, shortest = 0, min(len(one), len(other))
    while start < shortest and one[start] == other[start]:
        start += 1
    end = 0
    while end < shortest - start and one[-1 - end] == other[-1 - end]:
        end += 1
    return one[start : len(one) - end], other[start : len(other) - end]


def _from_the_centre(transcripts: Sequence[Words]) -> list[Words]:
    times = Counter(transcripts)
    apart: Counter[tuple[Words, Words]] = Counter()
    for one, other in combinations(times, 2):
        apart[one, other] = apart[other, one] = edit_distance(one, other)
    reach = {one: sum(apart[one, other] * times[other] for other in times) for one in times}
    centre = min(times, key=lambda text: (reach[text], text), default=())
    return sorted(transcripts, key=lambda text: (apart[centre, text], text))


def _weave(slots: list[Slot], transcript: Words, seen: int) -> list[Slot]:
    """The slots with one more transcript's votes; a word that fits none opens a slot of its own."""
    woven: list[Slot] = []
    for slot, word in _align(slots, transcript):
        if slot is None:
            slot = Counter({NO_WORD: seen} if seen else {})
        slot[word] += 1
        woven.append(slot)
    return woven


def _align(slots: list[Slot], transcript: Words) -> list[tuple[Slot | None, str]]:
    """The cheapest pairing of slots and words, in order; None: a new slot, NO_WORD: a slot without word."""
    costs = _costs(slots, transcript)
    i, j = len(slots), len(transcript)
    pairs: list[tuple[Slot | None, str]] = []
    while i or j:
        here = costs[i][j]
        if i and j and here == costs[i - 1][j - 1] + (transcript[j - 1] not in slots[i - 1]):
            i, j = i - 1, j - 1
            pairs.append((slots[i], transcript[j]))
        elif i and here == costs[i - 1][j] + (NO_WORD not in slots[i - 1]):
            i -= 1
            pairs.append((slots[i], NO_WORD))
        else:
            j -= 1
            pairs.append((None, transcript[j]))
    return pairs[::-1]


def _costs(slots: list[Slot], transcript: Words) -> list[list[int]]:
    """`[i][j]`: what it costs to align the first i slots with the first j words.

    1 for a word that the slot has not seen, a word passed over, a slot opened; 0 for what it has seen. (On
    CrowdSpeech this is 0.2 and 0.6 points of word error better than the weights 4, 3, 3 of NIST's scorer.)
    """
    costs = [list(range(len(transcript) + 1))]
    for slot in slots:
        above, skip = costs[-1], NO_WORD not in slot
        row = [above[0] + skip]
        for j, word in enumerate(transcript):
            row.append(min(above[j] + (word not in slot), above[j + 1] + skip, row[j] + 1))
        costs.append(row)
    return costs


def _leader(slot: Slot) -> str:
    # Of equals the first that came, which the transcript nearest to the centre gave.
    return max(slot, key=slot.__getitem__)


def _tied(slot: Slot) -> bool:
    return list(slot.values()).count(max(slot.values())) > 1


def _agreement(slots: list[Slot], votes: int) -> float:
    if not slots:
        return 1.0 if votes else 0.0
    # One division of whole numbers: a mean of shares would miss an exact 0.8 by a rounding error.
    return sum(max(slot.values()) for slot in slots) / (votes * len(slots))


def _evidence(slot: Slot) -> dict[str, object]:
    return {
        "word": _leader(slot),
        "agreement": max(slot.values()) / slot.total(),
        "votes": dict(slot.most_common()),
    }

"""Who copies from whom: people who more than once hand in the same text, with the same mistakes.

Two people who hear the same make one mistake alike now and then. The same two or more mistakes in a text,
again and again, is one voice in two names: where their texts are the same they share the weight of one.
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from itertools import combinations

from .network import Words, edit_distance

# Words in which a text differs from the leading one; tasks on which two people agree in such a text, and the
# share of those on which both wrote and either made as many mistakes.
MISTAKES, TASKS, SHARE = 2, 2, 0.5

Given = Sequence[tuple[Hashable, Words]]
Pair = frozenset[Hashable]


def find(tasks: Sequence[tuple[Given, Words]]) -> frozenset[Pair]:
    """The pairs of copiers, by the texts of each task and the text that leads it.

    >>> mistaken = [("ann", ("a", "x", "y")), ("bob", ("a", "x", "y")), ("cy", ("a", "b", "c"))]
    >>> find([(mistaken, ("a", "b", "c"))] * 2) == {frozenset({"ann", "bob"})}
    True
    """
    alike = Counter(pair for given, leading in tasks for pair in _alike(given, leading))
    suspects = {pair for pair, count in alike.items() if count >= TASKS}
    if not suspects:
        return frozenset()
    either: Counter[Pair] = Counter()
    for given, leading in tasks:
        texts = dict(given)
        for pair in map(frozenset, combinations(texts, 2)):
            if pair in suspects:
                either[pair] += any(edit_distance(texts[who], leading) >= MISTAKES for who in pair)
    return frozenset(pair for pair in suspects if alike[pair] >= SHARE * either[pair])


def _alike(given: Given, leading: Words) -> list[Pair]:
    """Who handed in the same mistaken text."""
    people: dict[Words, list[Hashable]] = defaultdict(list)
    for who, text in given:
        people[text].append(who)
    return [
        frozenset(pair)
        for text, same in people.items()
        if len(same) > 1 and text != leading and edit_distance(text, leading) >= MISTAKES
        for pair in combinations(same, 2)
    ]


def weights(given: Given, copiers: frozenset[Pair]) -> list[float]:
    """What each text of a task weighs: 1, or its share where copiers handed in the same."""
    if not copiers or len({text for _, text in given}) == len(given):
        return [1.0] * len(given)
    alike = [
        sum(frozenset((who, other)) in copiers for other, theirs in given if theirs == text)
        for who, text in given
    ]
    return [1 / (1 + others) for others in alike]

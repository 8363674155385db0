"""Annotators who copy: people who repeatedly hand in the same text with the same mistakes.

Two people who hear the same clip sometimes make the same mistake. The same two or more mistakes in one text,
on task after task, mean one voice under two names: identical texts of a pair share the weight of one.
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from itertools import combinations

from .network import Words, edit_distance

# A pair copies if both handed in the same text, with at least MIN_MISTAKES mistakes (word edits from the
# leading text), on at least MIN_TASKS tasks; and if these are at least MIN_SHARE of the tasks that both
# answered and on which either made as many mistakes.
MIN_MISTAKES, MIN_TASKS, MIN_SHARE = 2, 2, 0.5

Given = Sequence[tuple[Hashable, Words]]
Pair = frozenset[Hashable]


def find(tasks: Sequence[tuple[Given, Words]]) -> frozenset[Pair]:
    """The pairs of copiers; `tasks`: for each task, its texts by annotator and the leading text.

    >>> mistaken = [("ann", ("a", "x", "y")), ("bob", ("a", "x", "y")), ("cy", ("a", "b", "c"))]
    >>> find([(mistaken, ("a", "b", "c"))] * 2) == {frozenset({"ann", "bob"})}
    True
    """
    identical = Counter(pair for given, leading in tasks for pair in _identical_pairs(given, leading))
    suspects = {pair for pair, count in identical.items() if count >= MIN_TASKS}
    if not suspects:
        return frozenset()
    either: Counter[Pair] = Counter()
    for given, leading in tasks:
        texts = dict(given)
        for pair in map(frozenset, combinations(texts, 2)):
            if pair in suspects:
                either[pair] += any(edit_distance(texts[who], leading) >= MIN_MISTAKES for who in pair)
    return frozenset(pair for pair in suspects if identical[pair] >= MIN_SHARE * either[pair])


def _identical_pairs(given: Given, leading: Words) -> list[Pair]:
    """The pairs of people who handed in the same text with at least MIN_MISTAKES mistakes."""
    people: dict[Words, list[Hashable]] = defaultdict(list)
    for who, text in given:
        people[text].append(who)
    return [
        frozenset(pair)
        for text, same in people.items()
        if len(same) > 1 and text != leading and edit_distance(text, leading) >= MIN_MISTAKES
        for pair in combinations(same, 2)
    ]


def weights(given: Given, copiers: frozenset[Pair]) -> list[float]:
    """The weight of each text of a task: 1, or 1 / n if n copiers handed in the same text."""
    if not copiers or len({text for _, text in given}) == len(given):
        return [1.0] * len(given)
    copies = [
        sum(frozenset((who, other)) in copiers for other, theirs in given if theirs == text)
        for who, text in given
    ]
    return [1 / (1 + others) for others in copies]

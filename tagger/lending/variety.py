"""The order in which clips are heard: if possible, no two in a row with the same voice."""

from collections import Counter
from collections.abc import Hashable, Sequence
from typing import TypeVar

Item = TypeVar("Item")


def alternate(clips: Sequence[Item], voices: Sequence[Hashable]) -> list[Item]:
    """The clips, reordered as little as is needed. `voices` has the voice of each.

    >>> alternate([1, 2, 3, 4], ["ann", "ann", "bob", "ann"])
    [1, 3, 2, 4]
    """
    left, last = list(zip(clips, voices, strict=True)), None
    order = []
    while left:
        counts = Counter(voice for _, voice in left)
        # A voice with more than half of the remaining clips comes now, or two of its clips end up in a row.
        urgent = {voice for voice, number in counts.items() if 2 * number > len(left)} - {last}
        fitting = [each for each in left if each[1] in urgent] or [each for each in left if each[1] != last]
        chosen = (fitting or left)[0]
        left.remove(chosen)
        order.append(chosen[0])
        last = chosen[1]
    return order

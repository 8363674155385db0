"""In which order clips are heard: no two of one voice after each other, where that can be."""

from collections import Counter
from collections.abc import Hashable, Sequence
from typing import TypeVar

Clip = TypeVar("Clip")


def mixed(clips: Sequence[Clip], voices: Sequence[Hashable]) -> list[Clip]:
    """The same clips, of these voices, in an order as near to theirs as it may be.

    >>> mixed([1, 2, 3, 4], ["ann", "ann", "bob", "ann"])
    [1, 3, 2, 4]
    """
    left, last = list(zip(clips, voices, strict=True)), None
    order = []
    while left:
        counts = Counter(voice for _, voice in left)
        # Whoever has half of what is left must come now, or two of theirs meet in the end.
        pressing = {voice for voice, number in counts.items() if 2 * number > len(left)} - {last}
        fitting = [each for each in left if each[1] in pressing] or [each for each in left if each[1] != last]
        chosen = (fitting or left)[0]
        left.remove(chosen)
        order.append(chosen[0])
        last = chosen[1]
    return order

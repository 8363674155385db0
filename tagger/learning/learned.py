"""What a refit learned of one crowd, of labellers or of transcribers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Learned:
    """`shared` belongs to the crowd as a whole. By annotator: `skills` as the engine keeps them, `scores`
    from 0 to 1, the number of `answers`. `changed` are the tasks whose verdict or confidence it changes; they
    are looked for while they are read, once. Tasks with numbers below `compared_from` are not looked at."""

    shared: dict[str, Any]
    skills: Mapping[int, Any]
    scores: Mapping[int, float]
    answers: Mapping[int, int]
    changed: Iterable[int]
    compared_from: int = 0

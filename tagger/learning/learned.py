"""What a refit learned of one crowd, whatever it was asked for."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Learned:
    """`shared` is nobody's own; the rest is by annotator: `skills` as the engine keeps them, `scores` from 0
    to 1, `answers` in numbers. `changed` are the tasks whose verdict is likely another by now."""

    shared: dict[str, Any]
    skills: Mapping[int, Any]
    scores: Mapping[int, float]
    answers: Mapping[int, int]
    changed: Collection[int]

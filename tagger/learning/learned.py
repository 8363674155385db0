"""What a refit learned of one crowd, of labellers or of transcribers."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class OfCampaign:
    """What holds in one campaign in place of what holds in its crowd; the same fields as in `Learned`."""

    shared: dict[str, Any]
    skills: Mapping[int, Any]
    scores: Mapping[int, float]
    answers: Mapping[int, int]


@dataclass(frozen=True)
class Learned:
    """`shared` belongs to the crowd as a whole. By annotator: `skills` as the engine keeps them, `scores`
    from 0 to 1, the number of `answers`. `shared` and `skills` hold in a campaign in which no one has
    answered yet; `campaigns` has, by number, what holds in each of the others. `changed` are the tasks whose
    verdict or confidence it changes; they are looked for while they are read, once. Tasks with numbers below
    `compared_from` are not looked at."""

    shared: dict[str, Any]
    skills: Mapping[int, Any]
    scores: Mapping[int, float]
    answers: Mapping[int, int]
    campaigns: Mapping[int, OfCampaign]
    changed: Iterable[int]
    compared_from: int = 0


def all_answers(campaigns: Mapping[int, OfCampaign]) -> dict[int, int]:
    """How many answers each person gave in all of these."""
    whole: Counter[int] = Counter()
    for each in campaigns.values():
        whole.update(each.answers)
    return whole


def scores(campaigns: Mapping[int, OfCampaign], answers: Mapping[int, int]) -> dict[int, float]:
    """The expected share that is right of all `answers` of each person, from those in each campaign."""
    right: dict[int, float] = defaultdict(float)
    for each in campaigns.values():
        for who, score in each.scores.items():
            right[who] += score * each.answers[who]
    return {who: right[who] / number for who, number in answers.items()}

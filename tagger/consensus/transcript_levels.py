"""Campaigns of one crowd of transcribers: each learned by itself, and what they take from one another."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from . import agreement, levels
from .ballots import Floats, Integers
from .label_crowd import DECIMALS
from .levels import Records, Shared
from .reliability import POOL_WEIGHT, STRANGER, Skill


@dataclass(frozen=True)
class CampaignCounts:
    """`counts`: for each person, the words spoken where they answered, and of those right, left out and put
    in; `known`: how far the truth of its tasks is known, from 0 to 1. Whoever is in `alone` is not known
    elsewhere, though others may have the same number there."""

    counts: Mapping[int, Sequence[float]]
    known: float
    alone: frozenset[int] = frozenset()


@dataclass(frozen=True)
class SkillLevel:
    """The `skills` of people, and the `pool`'s: that of anyone else."""

    skills: dict[int, Skill]
    pool: Skill


def known_share(tasks: Sequence[Sequence[Sequence[str]]]) -> float:
    """How far the truth is known of tasks with these transcripts, in words; see `levels.knowledge`."""
    number = [len(task) for task in tasks]
    others = sum(each * (each - 1) for each in number) / max(sum(number), 1)
    return levels.knowledge(agreement.of_transcripts(tasks).agreeing.low, others)


def share_skills(campaigns: Sequence[CampaignCounts]) -> tuple[list[SkillLevel], SkillLevel]:
    """What holds in each campaign, of at least one, and what in one in which no one has answered."""
    known = np.array([each.known for each in campaigns])
    numbers: dict[tuple[int, int], int] = {}
    owners, where, rows = [], [], []
    for place, each in enumerate(campaigns):
        for who, counts in each.counts.items():
            key = (place if who in each.alone else ANYWHERE, who)
            owners.append(numbers.setdefault(key, len(numbers)))
            where.append(place)
            rows.append(_shares_of(counts))
    places = np.array(where, np.int64)
    own = np.array(rows, float).reshape(-1, 1, SHARES)
    pool = _pool(own, places, known)
    people = Records(np.array(owners, np.int64), places, own, pool.here[places], POOL_WEIGHT)
    found = levels.share(people, known, pool.ahead[0])
    here: list[dict[int, Skill]] = [{} for _ in campaigns]
    names = [who for each in campaigns for who in each.counts]
    for place, who, shares in zip(where, names, found.here[:, 0], strict=True):
        here[place][who] = _skill(shares)
    ahead = {who: _skill(found.ahead[n, 0]) for (at, who), n in numbers.items() if at == ANYWHERE}
    return (
        [SkillLevel(skills, _skill(shares)) for skills, shares in zip(here, pool.here[:, 0], strict=True)],
        SkillLevel(ahead, _skill(pool.ahead[0, 0])),
    )


def _pool(own: Floats, places: Integers, known: Floats) -> Shared:
    """Of all people of a campaign together: the same owner in each."""
    whole = np.zeros((len(known), *own.shape[1:]))
    np.add.at(whole, places, own)
    stranger = _shares_of((1.0, *STRANGER))[None]
    base = stranger / stranger.sum()
    campaigns = np.arange(len(known))
    records = Records(
        np.zeros_like(campaigns), campaigns, whole, np.broadcast_to(base, whole.shape), POOL_WEIGHT
    )
    return levels.share(records, known, base)


ANYWHERE = -1
# Each word was right, left out, misheard, or put in.
SHARES = 4


def _shares_of(counts: Sequence[float]) -> Floats:
    spoken, right, left_out, put_in = counts
    return np.maximum([right, left_out, spoken - right - left_out, put_in], 0.0)


def _skill(shares: Floats) -> Skill:
    right, left_out, missed, put_in = shares.tolist()
    spoken = right + left_out + missed
    return Skill(*(round(each / spoken, DECIMALS) for each in (right, left_out, put_in)))

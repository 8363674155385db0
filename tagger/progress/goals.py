"""A volunteer's goal of votes for a day, if they want one: a wave that fills with each vote.

It is theirs alone, and nothing happens on a day on which it is not reached.
"""

import math
from dataclasses import dataclass
from functools import cache

from accounts.models import User

OFFERED = (10, 25, 50)
NONE = 0
BARS = 50  # of the wave: each vote fills one or more


@dataclass(frozen=True)
class Goal:
    votes: int
    today: int

    @property
    def is_reached(self) -> bool:
        return self.today >= self.votes

    @property
    def share(self) -> float:
        return min(1.0, self.today / self.votes)

    @property
    def shape(self) -> tuple[int, ...]:
        return shape()


def of(person: User, today: int) -> Goal | None:
    """The goal, if they want one, and their votes of today."""
    return Goal(person.daily_goal, today) if person.daily_goal else None


def choose(person: User, votes: str) -> None:
    """One of those offered, or "0" for none; anything else changes nothing."""
    if votes in {str(each) for each in (*OFFERED, NONE)}:
        # Not save(): a person whose account is erased in the meantime must stay erased.
        User.objects.filter(pk=person.pk, is_active=True).update(daily_goal=int(votes))


@cache
def shape() -> tuple[int, ...]:
    """The heights of a wave like a spoken sentence, 0 to 100: a few syllables, louder in the middle."""
    return tuple(
        round(
            100 * math.sin(math.pi * (n + 0.5) / BARS) ** 0.6 * (0.45 + 0.55 * abs(math.sin(2.4 * n + 0.7)))
        )
        for n in range(BARS)
    )

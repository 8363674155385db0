"""What goes into a decision and what comes out of it, for labels and for transcripts."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any


class Outcome(StrEnum):
    """What happens to the task: it is settled, one more vote is asked for, or a reviewer decides."""

    SETTLED = "settled"
    MORE = "more"
    DISPUTED = "disputed"


class TrackRecord(StrEnum):
    """Whether someone with a track record is among the voters, where a campaign needs that."""

    FOUND = "found"
    MISSING = "missing"
    # None is missed: the task is settled with the same answer already.
    NOT_MISSED = "settled before"


@dataclass(frozen=True)
class Vote:
    """One annotator's stored answer as consensus counts it: a label, or a transcript as typed.

    `weight`, above 0, is the power of its likelihood: at a half, two such votes count as one; at 2, one as
    two. It does not change how many votes there are. A vote that has no weight is left out instead.
    """

    annotator: str | int
    answer: str
    weight: float = 1.0


@dataclass(frozen=True)
class Verdict:
    """The decision on one task.

    `answer`: the leading answer, settled or not; None while nothing leads. `confidence`: the probability that
    the answer is right, from 0 to 1; for a transcript, the expected share of its right words. `soft`: the
    evidence, ready for JSON; see `labels.decide` and `transcripts.decide`. `withheld`: it would be settled if
    someone with a track record had voted; see `withhold`.
    """

    outcome: Outcome
    answer: str | None
    confidence: float
    soft: dict[str, Any]
    withheld: bool = False


# By so much confidence must a task rise that came off being settled: four times what is a rounding.
RISE = 0.02


@dataclass(frozen=True)
class Rule:
    """When a campaign stops asking: at `confidence`, but not before `least` votes and not after `most`.

    Raises ValueError unless 1 <= least <= most and 0 < confidence <= 1.
    """

    least: int = 2
    most: int = 7
    confidence: float = 0.75

    def __post_init__(self) -> None:
        if self.least < 1:
            raise ValueError(f"the least number of votes is {self.least}; it must be 1 or more")
        if self.most < self.least:
            raise ValueError(f"the most votes are {self.most}, fewer than the least, {self.least}")
        if not 0 < self.confidence <= 1:
            raise ValueError(f"the confidence is {self.confidence}; it must be over 0 and at most 1")

    def outcome(self, votes: int, confidence: float, tied: bool) -> Outcome:
        """Settled at the confidence, but never by a tie; disputed if the most votes did not settle it.

        >>> Rule(least=2, most=5, confidence=0.75).outcome(4, 3 / 4, tied=False)
        <Outcome.SETTLED: 'settled'>
        """
        if votes >= self.least and not tied and confidence >= self.confidence:
            return Outcome.SETTLED
        return self.unsettled(votes)

    @property
    def again_from(self) -> float:
        """The confidence from which a task that came off being settled settles again by the same votes.

        `RISE` above the rule's, or half of the way to certainty. What is learned of a crowd moves a little
        with each of its answers: without a gap, a task at the threshold would settle and open again by turns.

        >>> Rule(confidence=0.75).again_from, Rule(confidence=0.99).again_from
        (0.77, 0.995)
        """
        return round(self.confidence + min(RISE, (1 - self.confidence) / 2), 6)

    def unsettled(self, votes: int) -> Outcome:
        return Outcome.MORE if votes < self.most else Outcome.DISPUTED


def withhold(found: Verdict, votes: int, rule: Rule) -> Verdict:
    """The verdict if no one with a track record is among the voters: new people alone settle nothing.

    What would be settled asks for one more vote or, after the most votes, is disputed.

    >>> withhold(Verdict(Outcome.SETTLED, "yes", 0.9, {}), 2, Rule(least=2, most=5)).outcome
    <Outcome.MORE: 'more'>
    """
    if found.outcome is not Outcome.SETTLED:
        return found
    return replace(found, outcome=rule.unsettled(votes), withheld=True)


def hold(found: Verdict, votes: int, rule: Rule) -> Verdict:
    """The verdict on a task that came off being settled with the same votes: see `Rule.again_from`.

    Below that, it asks for one more vote or, after the most votes, is disputed.

    >>> rule = Rule(least=2, most=5, confidence=0.75)
    >>> [hold(Verdict(Outcome.SETTLED, "yes", sure, {}), 3, rule).outcome.value for sure in (0.76, 0.77)]
    ['more', 'settled']
    """
    if found.outcome is not Outcome.SETTLED or found.confidence >= rule.again_from:
        return found
    return replace(found, outcome=rule.unsettled(votes))


def refuse_repeats(votes: Sequence[Vote]) -> None:
    """Raises ValueError naming an annotator who voted twice: people are counted, not rows."""
    seen: set[str | int] = set()
    for vote in votes:
        if vote.annotator in seen:
            raise ValueError(f"annotator {vote.annotator!r} voted twice")
        seen.add(vote.annotator)

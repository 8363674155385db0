"""Labels to a verdict: the share behind the leading answer."""

from collections.abc import Sequence

from tagger.consensus.verdict import Rule, Verdict, Vote, refuse_repeats


def decide(votes: Sequence[Vote], rule: Rule, classes: Sequence[str]) -> Verdict:
    """The verdict on one task's votes, whatever their order. A tie is never a verdict.

    `soft` holds, for each of the classes, the count of its `votes` and its `shares` from 0 to 1.
    Raises ValueError naming an annotator who voted twice or an answer that is none of the classes.

    >>> rule = Rule(least=2, most=5, confidence=0.75)
    >>> decide([Vote("ann", "yes"), Vote("bob", "no")], rule, ["yes", "no"])  # doctest: +ELLIPSIS
    Verdict(outcome=<Outcome.MORE: 'more'>, answer=None, confidence=0.5, soft={...})
    """
    refuse_repeats(votes)
    counts = _count(votes, classes)
    most = max(counts.values(), default=0)
    leaders = [answer for answer, count in counts.items() if count == most]
    tied = not votes or len(leaders) > 1
    shares = {answer: count / max(len(votes), 1) for answer, count in counts.items()}
    agreement = max(shares.values(), default=0.0)
    return Verdict(
        outcome=rule.outcome(len(votes), agreement, tied),
        answer=None if tied else leaders[0],
        confidence=agreement,
        soft={"votes": counts, "shares": shares},
    )


def _count(votes: Sequence[Vote], classes: Sequence[str]) -> dict[str, int]:
    counts = dict.fromkeys(classes, 0)
    for vote in votes:
        if vote.answer not in counts:
            raise ValueError(f"{vote.answer!r} by annotator {vote.annotator!r} is none of {list(classes)}")
        counts[vote.answer] += 1
    return counts

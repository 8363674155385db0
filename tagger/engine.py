"""One door to the consensus engine, whatever a campaign asks for: a label or a transcript."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from datasets.models import Campaign, Label

from .consensus import labels, transcripts
from .consensus.verdict import Rule, Verdict, Vote

# Grows whenever the same votes and parameters may come to another verdict.
VERSION = 1

Crowd = labels.Crowd | transcripts.Crowd


def asks_for_labels(kind: str) -> bool:
    return kind == Campaign.Kind.WAKE_WORD


def strangers(kind: str, language: str) -> Crowd:
    if asks_for_labels(kind):
        return labels.strangers(tuple(Label.values))
    return transcripts.Crowd.strangers(language)


def crowd(kind: str, data: dict[str, Any], annotators: Sequence[int]) -> Crowd:
    """What `parameters` gave, for the annotators of the same positions."""
    if asks_for_labels(kind):
        return labels.Crowd.from_json(data, annotators)
    return transcripts.Crowd.from_json(data, annotators)


def with_skills(crowd: Crowd, skills: Mapping[int, Any]) -> Crowd:
    """The crowd with these annotators' skills, as a refit stored them."""
    if isinstance(crowd, labels.Crowd):
        return replace(crowd, skills={who: tuple(map(tuple, skill)) for who, skill in skills.items()})
    pairs = {frozenset((who, other)) for who, held in skills.items() for other in held["copies"]}
    return replace(
        crowd,
        skills={who: transcripts.Skill(*held["skill"]) for who, held in skills.items()},
        copiers=frozenset(pairs),
    )


def parameters(votes: Sequence[Vote], crowd: Crowd) -> dict[str, Any]:
    """Whatever a decision on these votes takes from the crowd, by position and without names."""
    annotators = [vote.annotator for vote in votes]
    if isinstance(crowd, labels.Crowd):
        return crowd.as_json(annotators)
    return crowd.as_json(annotators, votes)


def decide(votes: Sequence[Vote], rule: Rule, crowd: Crowd) -> Verdict:
    if isinstance(crowd, labels.Crowd):
        return labels.decide(votes, rule, Label.values, crowd)
    return transcripts.decide(votes, rule, crowd)


def what_if(votes: Sequence[Vote], rule: Rule, crowd: Crowd) -> Verdict:
    """The verdict after one more vote, by a stranger and against the leader."""
    if isinstance(crowd, labels.Crowd):
        return labels.what_if(votes, rule, Label.values, crowd)
    return transcripts.what_if(votes, rule, crowd).verdict

"""The only way to the consensus engine, for campaigns that ask for labels and for transcripts."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from datasets.models import Campaign, Label
from tagger.consensus import labels, transcripts
from tagger.consensus.reliability import Skill
from tagger.consensus.verdict import Rule, Verdict, Vote

# Raised by one whenever the same votes and parameters may come to another verdict.
VERSION = 1

EngineCrowd = labels.LabelCrowd | transcripts.TranscriptCrowd


def asks_for_labels(kind: str) -> bool:
    return kind == Campaign.Kind.WAKE_WORD


def strangers(kind: str, language: str) -> EngineCrowd:
    if asks_for_labels(kind):
        return labels.strangers(tuple(Label.values))
    return transcripts.TranscriptCrowd.strangers(language)


def crowd(kind: str, data: dict[str, Any], annotators: Sequence[int]) -> EngineCrowd:
    """The crowd that certificates keep as `parameters`. `annotators` are in the order of the votes."""
    if asks_for_labels(kind):
        return labels.LabelCrowd.from_json(data, annotators)
    return transcripts.TranscriptCrowd.from_json(data, annotators)


def with_skills(crowd: EngineCrowd, skills: Mapping[int, Any]) -> EngineCrowd:
    """The crowd with these annotators' skills, as a refit stored them."""
    if isinstance(crowd, labels.LabelCrowd):
        return replace(crowd, skills={who: tuple(map(tuple, skill)) for who, skill in skills.items()})
    pairs = {frozenset((who, other)) for who, skill in skills.items() for other in skill["copies"]}
    return replace(
        crowd,
        skills={who: Skill(*skill["skill"]) for who, skill in skills.items()},
        copiers=frozenset(pairs),
    )


class Weighed(NamedTuple):
    """The verdict on some votes.

    `one_more_against` is the verdict after one more vote by a stranger against the leading answer; None
    without votes. `parameters` is what both took from the crowd, by position and without names.
    """

    verdict: Verdict
    one_more_against: Verdict | None
    parameters: dict[str, Any]


def weigh(votes: Sequence[Vote], rule: Rule, crowd: EngineCrowd) -> Weighed:
    annotators = [vote.annotator for vote in votes]
    if isinstance(crowd, labels.LabelCrowd):
        against = labels.what_if(votes, rule, Label.values, crowd) if votes else None
        return Weighed(labels.decide(votes, rule, Label.values, crowd), against, crowd.as_json(annotators))
    return Weighed(*transcripts.explain(votes, rule, crowd))

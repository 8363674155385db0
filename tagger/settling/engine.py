"""The only way to the consensus engine, for campaigns that ask for labels and for transcripts."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any, NamedTuple

from datasets.models import Annotation, Campaign, Label
from tagger.consensus import dawid_skene, label_crowd, labels, transcripts
from tagger.consensus.reliability import STRANGER, Skill
from tagger.consensus.verdict import Rule, Verdict, Vote

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


def in_campaign(crowd: EngineCrowd, shared: dict[str, Any]) -> EngineCrowd:
    """The crowd with what the last refit stored of one campaign in place of what holds in all."""
    if isinstance(crowd, labels.LabelCrowd):
        return replace(crowd, prior=tuple(shared["prior"]), pooled=tuple(map(tuple, shared["pooled"])))
    return replace(crowd, pool=Skill(*shared["pool"]))


def with_skills(crowd: EngineCrowd, skills: Mapping[int, Any]) -> EngineCrowd:
    """The crowd with these annotators' skills, as a refit stored them."""
    if isinstance(crowd, labels.LabelCrowd):
        return replace(crowd, skills={who: tuple(map(tuple, skill)) for who, skill in skills.items()})
    return replace(
        crowd,
        skills={who: Skill(*skill["skill"]) for who, skill in skills.items()},
        copiers=_copiers(skills),
    )


def _copiers(skills: Mapping[int, Any]) -> frozenset[frozenset[int]]:
    """The pairs of annotators who have the same word among their `copies`."""
    by_word: dict[str, list[int]] = defaultdict(list)
    for who, skill in skills.items():
        for word in skill["copies"]:
            by_word[word].append(who)
    return frozenset(frozenset(pair) for same in by_word.values() for pair in combinations(same, 2))


# The expected share of right answers behind a kept answer's weight; an average one is a stranger's.
KEPT_LABELS = {Annotation.Weight.LITTLE: 1 / len(Label), Annotation.Weight.MUCH: 0.93}
KEPT_WORDS = {Annotation.Weight.LITTLE: 0.5, Annotation.Weight.MUCH: 0.95}


def kept_skill(kind: str, weight: int) -> Any:
    """The skill behind a kept answer, as a refit would store it; None for a stranger's."""
    if weight == Annotation.Weight.AVERAGE:
        return None
    if asks_for_labels(kind):
        matrix = dawid_skene.one_coin(len(Label), KEPT_LABELS[Annotation.Weight(weight)])
        return label_crowd.rounded(matrix)
    right = KEPT_WORDS[Annotation.Weight(weight)]
    missed = (1 - right) / (1 - STRANGER.right)
    shares = (right, missed * STRANGER.left_out, missed * STRANGER.put_in)
    return {"skill": [round(share, label_crowd.DECIMALS) for share in shares], "copies": []}


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

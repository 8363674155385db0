"""What a campaign's rule would lead to, before its owner saves it: its own answers are replayed to it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from django.db.models import Count, Prefetch, Q, prefetch_related_objects

from datasets.models import Annotation, Campaign, Task
from tagger.consensus import labels, transcripts
from tagger.consensus.foresight import (
    OF_WORDS,
    Foreseen,
    History,
    NextLabel,
    NextTranscript,
    foresee,
    wrong_words,
)
from tagger.consensus.labels import LabelCrowd
from tagger.consensus.transcript_crowd import TranscriptCrowd
from tagger.consensus.verdict import Rule, Verdict, Vote
from tagger.models import Control
from tagger.settling import crowds, person_weights

from . import rules

# A campaign with fewer answered clips says too little about itself: one like it is asked.
LEAST_CLIPS = 8
# A page waits for it: about a second on one core.
MOST_LABELLED, MOST_TRANSCRIBED = 600, 60


@dataclass(frozen=True)
class Consequences:
    """`clips`: how many the campaign has. `model`: the campaign whose answers were replayed, if another's."""

    foreseen: Foreseen
    clips: int
    model: Campaign | None

    @property
    def disputes(self) -> int:
        return round(self.foreseen.disputed.value * self.clips)

    @property
    def votes(self) -> int:
        """For all clips."""
        return round(self.foreseen.votes.value * self.clips)


@dataclass(frozen=True)
class Then:
    """A typed rule, with what it would lead to beside the present one; both None if no answers can say."""

    name: str  # of the rule, see rules.name
    needs_track_record: bool
    asks_for_words: bool
    now: Consequences | None
    then: Consequences | None

    @classmethod
    def of(cls, campaign: Campaign, typed: Mapping[str, Any]) -> Self:
        rule = Rule(typed["min_annotations"], typed["max_annotations"], typed["confidence"])
        present = Rule(campaign.min_annotations, campaign.max_annotations, campaign.confidence)
        now, then = of_rule(campaign, present), of_rule(campaign, rule)
        return cls(rules.name(typed), typed["needs_track_record"], campaign.asks_for_words, now, then)


def of_rule(campaign: Campaign, rule: Rule) -> Consequences | None:
    """None if neither the campaign nor one like it has enough answers."""
    answered = _answered(campaign)
    model = campaign if len(answered) >= LEAST_CLIPS else _like(campaign)
    if model is None:
        return None
    if model != campaign:
        answered = _answered(model)
    clips = campaign.tasks.exclude(status=Task.Status.UNUSABLE).count() if campaign.pk else 0
    foreseen = _replayed(model, answered, rule)
    return Consequences(foreseen, clips, None if model == campaign else model) if foreseen else None


def _answered(campaign: Campaign) -> list[Task]:
    """Some of its tasks that have votes, taken at random, each with its annotations in their order."""
    if campaign.pk is None:
        return []
    most = MOST_TRANSCRIBED if campaign.asks_for_words else MOST_LABELLED
    some = campaign.tasks.filter(annotation_count__gt=0).exclude(status=Task.Status.UNUSABLE)
    in_order = Prefetch("annotations", Annotation.objects.order_by("created_at", "pk"))
    return list(some.order_by("spread").prefetch_related(in_order)[:most])


def _like(campaign: Campaign) -> Campaign | None:
    """The campaign of the same kind with most answered clips, one in the same language before all others.

    One that people are invited to is none of another owner's business.
    """
    others = Campaign.objects.public().filter(kind=campaign.kind).exclude(pk=campaign.pk)
    others = others.exclude(takes_part=Campaign.TakingPart.INVITED)
    answered = others.annotate(answered=Count("tasks", filter=Q(tasks__annotation_count__gt=0)))
    enough = list(answered.filter(answered__gte=LEAST_CLIPS).order_by("-answered"))
    return next(iter(sorted(enough, key=lambda each: each.language != campaign.language)), None)


def _replayed(model: Campaign, answered: list[Task], rule: Rule) -> Foreseen | None:
    """None if none of these answers counts."""
    if model.asks_for_words:
        prefetch_related_objects(answered, "clip__contributor__data_key")
    given = [each for task in answered for each in task.annotations.all()]
    crowd = crowds.for_campaign(model, given)
    truths = _truths(answered)
    weights = person_weights.among(model, {each.annotator_id for each in given if each.annotator_id})
    cast = [(_votes(task, model, weights), truths.get(task.pk)) for task in answered]
    histories = [History(votes, truth) for votes, truth in cast if votes]
    if not histories:
        return None
    if isinstance(crowd, LabelCrowd):
        return _foreseen_labels(histories, rule, crowd)
    return _foreseen_transcripts(histories, rule, crowd, model.language)


def _foreseen_labels(histories: list[History], rule: Rule, crowd: LabelCrowd) -> Foreseen:
    def decide(votes: Sequence[Vote], rule: Rule) -> Verdict:
        return labels.decide(votes, rule, crowd.classes, crowd)

    draw = NextLabel(crowd, histories, decide, rule)
    return foresee(histories, rule, decide, draw, lambda answer, truth: float(answer != truth))


def _foreseen_transcripts(
    histories: list[History], rule: Rule, crowd: TranscriptCrowd, language: str
) -> Foreseen:
    def decide(votes: Sequence[Vote], rule: Rule) -> Verdict:
        return transcripts.decide(votes, rule, crowd)

    draw = NextTranscript(crowd, histories, decide, rule)
    return foresee(histories, rule, decide, draw, wrong_words(language), OF_WORDS)


def _votes(task: Task, model: Campaign, weights: Mapping[int, float]) -> tuple[Vote, ...]:
    """Those that count: what has no weight is as if it had not been given."""
    given = list(task.annotations.all())
    for each in given:
        task.campaign, each.task = model, task  # whose key opens them
    cast = [Vote(each.voter, each.answer, weights.get(each.annotator_id or 0, 1.0)) for each in given]
    return tuple(vote for vote in cast if vote.weight)


def _truths(answered: list[Task]) -> dict[int, str]:
    """The answers that are known: those of trusted controls, and reviewers' decisions."""
    found = {task.pk: task.answer or "" for task in answered if task.adjudicated and task.answer is not None}
    by_pk = {task.pk: task for task in answered}
    for control in Control.objects.trusted().filter(task__in=by_pk):
        control.task = by_pk[control.task_id]
        found[control.task_id] = control.answer
    return found

"""Transcripts to a text: a network of words, the annotators' reliability, and a verdict on each word.

`decide` settles one task; `fit` learns a crowd from all of its votes. `network` aligns the transcripts,
`study` and `reliability` learn how reliable each annotator is, `lexicon` counts what the crowd writes, and
`judge` combines it all into a probability for each word, in two `passes`. The confidence of a text is the
expected share of its right words: 1 - its expected word error rate.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from datasets.normalise import join, words

from . import copies, judge, variants
from .inputs import FixedInputs, WordUsage
from .judge import Model
from .network import NO_WORD
from .passes import Judged, first_pass, second_pass
from .reliability import Evidence
from .slots import Floats, Integers, Slots, Voice, on_grid, sum_at
from .study import Study, study_crowd, texts_by_annotator
from .transcript_crowd import Annotator, TranscriptCrowd
from .verdict import Rule, Verdict, Vote


def decide(
    votes: Sequence[Vote], rule: Rule, crowd: TranscriptCrowd | None = None, *, counted: bool = False
) -> Verdict:
    """The verdict on one task's transcripts; their order does not matter.

    The confidence is the expected share of right words. The answer is the likeliest text, in normal form,
    even when it is not settled, so that a reviewer has a draft; it is None only without votes, and empty if
    no one spoke. A text is not settled while a slot is tied: while another word has as much reliability
    behind it as the leading one. `counted`: the crowd's lexicon contains this task's own text, from the last
    refit.

    `soft` holds `words`, one per slot: its `word` (empty for no word), `agreement` (the share of people for
    it), `probability`, and the `votes` for each candidate. If annotators gave several texts, only the one
    nearest to the others' counts, and `soft` also holds `repeated`: how many were left out. It never says who
    gave a vote.

    >>> votes = [Vote("ann", "Hello, world"), Vote("bob", "hello word"), Vote("cy", "hello world")]
    >>> decide(votes, Rule(least=2, most=5, confidence=0.75)).answer
    'hello world'
    """
    if not votes:
        return Verdict(rule.outcome(0, 0.0, True), None, 0.0, {"words": []})
    judged = _judge_task(crowd or TranscriptCrowd.strangers(), votes, counted)
    slots, belief, leads = judged.slots, judged.belief, judged.leads
    confidence = float(judged.confidences[0])
    people = len(slots.annotator)
    soft: dict[str, Any] = {"words": _word_evidence(slots, belief.candidates, leads)}
    if len(votes) > people:
        soft["repeated"] = len(votes) - people
    return Verdict(
        outcome=rule.outcome(people, confidence, _is_tied(slots, leads, judged.skills)),
        answer=judged.texts[0],
        confidence=confidence,
        soft=soft,
    )


@dataclass(frozen=True)
class WhatIf:
    """The verdict after one more vote, by a stranger who contradicts it.

    `confidence`: by how much the confidence falls; `changed`: whether the text or the outcome is another one.
    """

    verdict: Verdict
    confidence: float
    changed: bool


def what_if(votes: Sequence[Vote], rule: Rule, crowd: TranscriptCrowd | None = None) -> WhatIf:
    """The verdict if a stranger came who chose the second likeliest word wherever people differed.

    Where all agree, the stranger hears nothing at all.
    """
    return _against(decide(votes, rule, crowd), votes, rule, crowd)


def explain(
    votes: Sequence[Vote], rule: Rule, crowd: TranscriptCrowd
) -> tuple[Verdict, Verdict | None, dict[str, Any]]:
    """What a certificate keeps: `decide`, `what_if` (None without votes), and what both used of the crowd."""
    recording = crowd.recording()
    now = decide(votes, rule, recording)
    against = _against(now, votes, rule, recording).verdict if votes else None
    return now, against, recording.as_json([vote.annotator for vote in votes])


def _against(now: Verdict, votes: Sequence[Vote], rule: Rule, crowd: TranscriptCrowd | None) -> WhatIf:
    stranger = Vote("\0a stranger", _contrary_text(now))
    then = decide([*votes, stranger], rule, crowd)
    changed = (then.answer, then.outcome) != (now.answer, now.outcome)
    return WhatIf(then, now.confidence - then.confidence, changed)


def _contrary_text(verdict: Verdict) -> str:
    rivals = [
        next((word for word in slot["votes"] if word != slot["word"]), slot["word"])
        for slot in verdict.soft["words"]
    ]
    text = join(filter(None, rivals))
    return "" if text == verdict.answer else text


@dataclass(frozen=True)
class TranscriptFit:
    """A refit over a crowd: `texts` and `confidences` of its tasks, in the order given, and what it learned.

    `reliability`: each annotator's expected share of right words; `repeated`: how many texts were left out,
    as their annotator gave another one on the same task; `counts`: the expected number of words that were
    spoken where an annotator answered, and of those right, left out and put in.
    """

    texts: list[str]
    confidences: list[float]
    crowd: TranscriptCrowd
    reliability: dict[Annotator, float]
    repeated: int
    counts: dict[Annotator, tuple[float, ...]]


def fit(
    tasks: Sequence[Sequence[Vote]],
    *,
    known: Mapping[int, str] | None = None,
    language: str | None = None,
    model: Model | None = None,
) -> TranscriptFit:
    """Learn a crowd from all of its votes, and decide each of its tasks.

    `known`: the true text of some tasks, by place: controls, and what reviewers decided. `language`: its
    code, guessed from the words if not given. `model`: by default the one that is shipped.

    >>> votes = [Vote("ann", "Hello, world"), Vote("bob", "hello word"), Vote("cy", "hello world")]
    >>> fit([votes]).texts
    ['hello world']
    """
    study, model = study_crowd(tasks, known=known, language=language), model or judge.shipped()
    usages = [study.usage(evidence) for evidence in study.chunks]
    inputs = map(study.fixed_inputs, study.chunks, usages)
    beliefs = [first_pass(fixed, study.skills, model) for fixed in inputs]
    study = study.with_skills_from(beliefs)
    texts, confidences = [""] * len(tasks), [0.0] * len(tasks)
    places = iter(study.order)
    inputs = map(study.fixed_inputs, study.chunks, usages)
    for fixed, belief in zip(inputs, beliefs, strict=True):
        judged = second_pass(fixed, belief, study.skills, model)
        for text, confidence, place in zip(judged.texts, judged.confidences.tolist(), places, strict=False):
            texts[place], confidences[place] = text, confidence
    for place, text in (known or {}).items():
        texts[place], confidences[place] = join(words(text, study.crowd.spelling)), 1.0
    reliability = {who: study.crowd.reliability(who) for who in study.crowd.skills}
    return TranscriptFit(texts, confidences, study.crowd, reliability, study.repeated, _counts(study))


def _counts(study: Study) -> dict[Annotator, tuple[float, ...]]:
    columns = [] if study.counts is None else study.counts.T.tolist()
    return {who: tuple(columns[number]) for who, number in study.numbers.items()} if columns else {}


def _judge_task(crowd: TranscriptCrowd, votes: Sequence[Vote], counted: bool) -> Judged:
    """Both passes over one task. Its voices are sorted by text and skill, so their order does not matter."""
    ways = variants.of_language(crowd.language)
    spell = ways.spell_out if crowd.spelled_out else tuple
    given = texts_by_annotator(votes, crowd.spelling, crowd.normal_form)
    texts = [(annotator, spell(text)) for annotator, text in given]
    shares = copies.weights(texts, crowd.copiers)
    weight_of = {vote.annotator: vote.weight for vote in votes}
    voices = sorted(
        (text, crowd.skills.get(who, crowd.pool), share * weight_of[who])
        for (who, text), share in zip(texts, shares, strict=True)
    )
    slots = Slots.of([[Voice(text, number, share) for number, (text, _, share) in enumerate(voices)]], ways)
    evidence = Evidence.of(slots, slots.closeness(ways))
    skills = np.array([*(skill for _, skill, _ in voices), crowd.pool])
    model = judge.shipped()
    usage = WordUsage.of(slots, crowd.lexicon, crowd.frequency, counted)
    fixed = FixedInputs.of(evidence, skills, usage)
    return second_pass(fixed, first_pass(fixed, skills, model), skills, model)


def _is_tied(slots: Slots, leads: Integers, skills: Floats) -> bool:
    """Whether in some slot another word has as much reliability behind it as the leading one."""
    right = np.clip(skills[slots.annotator, 0], 0.001, 0.999)
    log_odds = on_grid(np.log(right / (1 - right)) * slots.weight)
    weights = sum_at(log_odds[slots.cell_voice], slots.chosen, slots.candidates)
    tied = weights == weights[leads][slots.slot]
    tied[leads] = False
    return bool(tied.any())


def _word_evidence(slots: Slots, probabilities: Floats, leads: Integers) -> list[dict[str, Any]]:
    """`soft["words"]` of one task; the votes for the candidates of a slot are in descending order."""
    counts = np.bincount(slots.chosen, minlength=slots.candidates).tolist()
    likely, first = probabilities.tolist(), slots.first.tolist()
    found = []
    for lead, start, end in zip(leads.tolist(), first, first[1:], strict=False):
        votes = {slots.words[lead]: counts[lead]}
        if end - start > 1:
            rivals = zip(slots.words[start:end], counts[start:end], strict=True)
            votes = dict(sorted(rivals, key=lambda vote: (-vote[1], vote[0])))
        agreement = counts[lead] / sum(votes.values())
        found.append(
            {"word": slots.words[lead], "agreement": agreement, "votes": votes, "probability": likely[lead]}
        )
    # If all agree that no one spoke, there is no word to report on.
    return [] if list(slots.words) == [NO_WORD] else found

"""Transcripts to a text: a network of words, the annotators' reliability, and a verdict on each word.

`network` aligns, `reliability` learns how far each annotator is to be believed, `lexicon` what the crowd
writes, `judge` weighs it all and says how sure each word is. The confidence of a text is the expected share
of its right words: 1 - its expected word error rate.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, combinations
from sys import intern
from typing import Any, NamedTuple

import numpy as np

from datasets.normalise import join, words

from . import copies, frequencies, judge, reliability, variants
from .frequencies import Frequency
from .judge import Model, Sight, Usage
from .lexicon import Lexicon
from .network import NO_WORD, Words, edit_distance
from .reliability import STRANGER, Belief, Evidence, Skill
from .slots import Booleans, Floats, Integers, Slots, Voice, on_grid, total
from .variants import Variants
from .verdict import Rule, Verdict, Vote

Annotator = str | int

# So many tasks are weighed at once: enough for numpy, and few enough for the processor's cache.
CHUNK = 256


@dataclass(frozen=True)
class TranscriptCrowd:
    """What the last refit learned about one crowd: transcription in one language.

    `spelled_out`: the crowd writes numerals as they are spoken, so that answers do. `frequencies`: how common
    words are (Zipf values), where they were kept with a decision; without them the language's list tells.
    """

    skills: Mapping[Annotator, Skill] = field(default_factory=dict)
    pool: Skill = STRANGER
    lexicon: Lexicon = field(default_factory=Lexicon)
    language: str = ""
    spelled_out: bool = False
    copiers: frozenset[copies.Pair] = frozenset()
    frequencies: Mapping[str, float] | None = None

    @property
    def frequency(self) -> Frequency:
        if self.frequencies is None:
            return frequencies.of_language(self.language)
        return self.frequencies.get

    @classmethod
    def strangers(cls, language: str = "") -> "TranscriptCrowd":
        """A crowd of which nothing is known but its language."""
        return cls(language=language)

    def reliability(self, annotator: Annotator) -> float:
        """The share of right words that is expected of an annotator, from 0 to 1."""
        return self.skills.get(annotator, self.pool).right

    def as_json(self, annotators: Sequence[Annotator], votes: Sequence[Vote] | None = None) -> dict[str, Any]:
        """What a decision on these votes uses, by the position of the annotators and without their names.

        >>> TranscriptCrowd.strangers("en").as_json(["ann"])["skills"]
        [None]
        """
        asked = _asked(self.lexicon)
        if votes:
            what_if(votes, Rule(), replace(self, lexicon=asked))
        return self._used(annotators, asked)

    def _used(self, annotators: Sequence[Annotator], asked: Lexicon) -> dict[str, Any]:
        common = {word: self.frequency(word) for word in sorted(asked.words) if word}
        skills = [self.skills.get(annotator) for annotator in annotators]
        pairs = combinations(range(len(annotators)), 2)
        copiers = [pair for pair in pairs if frozenset(annotators[at] for at in pair) in self.copiers]
        return {
            "language": self.language,
            "spelled_out": self.spelled_out,
            "copiers": copiers,
            "pool": list(self.pool),
            "skills": [skill and list(skill) for skill in skills],
            "words": _found(asked.words),
            "pairs": _found(asked.pairs),
            "frequencies": {word: zipf for word, zipf in common.items() if zipf is not None} or None,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any], annotators: Sequence[Annotator]) -> "TranscriptCrowd":
        skills = zip(annotators, data["skills"], strict=True)
        return cls(
            {annotator: Skill(*skill) for annotator, skill in skills if skill},
            Skill(*data["pool"]),
            Lexicon(Counter(data["words"]), Counter(data["pairs"])),
            data["language"],
            data["spelled_out"],
            frozenset(frozenset(annotators[at] for at in pair) for pair in data["copiers"]),
            data.get("frequencies"),
        )


class _Asked(Counter[str]):
    """Counts that keep what they were asked for."""

    def __init__(self, source: Counter[str]) -> None:
        super().__init__()
        self.source = source

    def get(self, key: str, default: Any = None) -> Any:
        self[key] = count = self.source.get(key, default)
        return count


def _asked(lexicon: Lexicon) -> Lexicon:
    return Lexicon(_Asked(lexicon.words), _Asked(lexicon.pairs))


def _found(asked: Counter[str]) -> dict[str, int]:
    return {key: count for key, count in sorted(asked.items()) if count}


def decide(
    votes: Sequence[Vote], rule: Rule, crowd: TranscriptCrowd | None = None, *, counted: bool = False
) -> Verdict:
    """The verdict on one task's transcripts, whatever their order.

    The confidence is the share of right words to be expected. The answer is always the likeliest text, in
    normal form (None only without votes), so that a reviewer has a draft; it is not settled while a slot is
    tied: as much reliability behind another word as behind the leading one. That nobody spoke is a text too,
    the empty one. `counted` says that the crowd's lexicon holds this task's own text, from the last refit.

    `soft` holds `words`, one a slot: its `word` (empty: no word), `agreement` (the share of people behind
    it), `probability`, and the `votes` for each; and `repeated`, where an annotator gave two texts, how many
    were left out: of each annotator the text counts that is nearest to the others'. It never says whose a
    vote was.

    >>> votes = [Vote("ann", "Hello, world"), Vote("bob", "hello word"), Vote("cy", "hello world")]
    >>> decide(votes, Rule(least=2, most=5, confidence=0.75)).answer
    'hello world'
    """
    if not votes:
        return Verdict(rule.outcome(0, 0.0, True), None, 0.0, {"words": []})
    weighed = _weigh(crowd or TranscriptCrowd.strangers(), votes, counted)
    slots, belief, leads = weighed.slots, weighed.belief, weighed.leads
    confidence = float(weighed.confidences[0])
    people = len(slots.annotator)
    soft: dict[str, Any] = {"words": _evidence(slots, belief.candidates, leads)}
    if len(votes) > people:
        soft["repeated"] = len(votes) - people
    return Verdict(
        outcome=rule.outcome(people, confidence, _tied(slots, leads, weighed.skills)),
        answer=weighed.texts[0],
        confidence=confidence,
        soft=soft,
    )


@dataclass(frozen=True)
class WhatIf:
    """What a verdict becomes by one more vote of a stranger who contradicts it."""

    verdict: Verdict
    confidence: float  # how much the confidence falls
    changed: bool  # is it another text, or another outcome?


def what_if(votes: Sequence[Vote], rule: Rule, crowd: TranscriptCrowd | None = None) -> WhatIf:
    """The verdict if a stranger came who chose the second likeliest word wherever people differed.

    Where all agree, the stranger hears nothing at all.
    """
    return _against(decide(votes, rule, crowd), votes, rule, crowd)


def _against(now: Verdict, votes: Sequence[Vote], rule: Rule, crowd: TranscriptCrowd | None) -> WhatIf:
    stranger = Vote("\0a stranger", _contrary(now))
    then = decide([*votes, stranger], rule, crowd)
    changed = (then.answer, then.outcome) != (now.answer, now.outcome)
    return WhatIf(then, now.confidence - then.confidence, changed)


def explain(
    votes: Sequence[Vote], rule: Rule, crowd: TranscriptCrowd
) -> tuple[Verdict, Verdict | None, dict[str, Any]]:
    """The verdict, the one after one more vote against it (None without votes), and what of the crowd both
    use: `decide`, `what_if` and `TranscriptCrowd.as_json`, weighed but once each."""
    asked = _asked(crowd.lexicon)
    watched = replace(crowd, lexicon=asked)
    now = decide(votes, rule, watched)
    against = _against(now, votes, rule, watched).verdict if votes else None
    return now, against, crowd._used([vote.annotator for vote in votes], asked)


def _contrary(verdict: Verdict) -> str:
    rivals = [
        next((word for word in slot["votes"] if word != slot["word"]), slot["word"])
        for slot in verdict.soft["words"]
    ]
    text = join(filter(None, rivals))
    return "" if text == verdict.answer else text


@dataclass(frozen=True)
class TranscriptFit:
    """A refit over a crowd: a text and a confidence for each task, in the order given, and what it learned.

    `repeated`: texts left out because their annotator gave another on the same task.
    """

    texts: list[str]
    confidences: list[float]
    crowd: TranscriptCrowd
    reliability: dict[Annotator, float]
    repeated: int


def fit(
    tasks: Sequence[Sequence[Vote]],
    *,
    known: Mapping[int, str] | None = None,
    language: str | None = None,
    model: Model | None = None,
) -> TranscriptFit:
    """Learn a crowd from all of its votes, and decide each of its tasks.

    `known` holds the true text of some tasks, by number: controls, and what a reviewer decided. Without a
    `language` it is guessed from the words.

    >>> votes = [Vote("ann", "Hello, world"), Vote("bob", "hello word"), Vote("cy", "hello world")]
    >>> fit([votes]).texts
    ['hello world']
    """
    studied, model = study(tasks, known=known, language=language), model or judge.shipped()
    usages = [studied.usage(evidence) for evidence in studied.chunks]
    sights = map(studied.sight, studied.chunks, usages)
    firsts = [first_look(sight, studied.skills, model) for sight in sights]
    studied = studied.again(firsts)
    texts, confidences = [""] * len(tasks), [0.0] * len(tasks)
    places = iter(studied.order)
    for sight, first in zip(map(studied.sight, studied.chunks, usages), firsts, strict=True):
        weighed = _judge(sight, first, studied.skills, model)
        for text, confidence, place in zip(weighed.texts, weighed.confidences.tolist(), places, strict=False):
            texts[place], confidences[place] = text, confidence
    for place, text in (known or {}).items():
        texts[place], confidences[place] = join(words(text)), 1.0
    crowd = studied.crowd
    return TranscriptFit(
        texts, confidences, crowd, {who: crowd.reliability(who) for who in crowd.skills}, studied.repeated
    )


@dataclass(frozen=True)
class Study:
    """What a crowd's votes teach before any word is judged.

    `order`: the tasks in the order in which `chunks` hold them; `skills`: a row for each annotator, the
    pool's as the last; `numbers`: the annotators' rows.
    """

    order: list[int]
    chunks: list[Evidence]
    skills: Floats
    crowd: TranscriptCrowd
    numbers: dict[Annotator, int]
    repeated: int

    def usage(self, evidence: Evidence) -> Usage:
        return Usage.of(evidence.slots, self.crowd.lexicon, self.crowd.frequency, counted=True)

    def sight(self, evidence: Evidence, usage: Usage | None = None) -> Sight:
        return Sight.of(evidence, self.skills, usage or self.usage(evidence))

    def again(self, beliefs: Sequence[Belief]) -> "Study":
        """The same with the skills that the annotators have if this was spoken."""
        counts = [
            reliability.count(evidence.slots, belief, len(self.skills) - 1)
            for evidence, belief in zip(self.chunks, beliefs, strict=True)
        ]
        skills = reliability.estimate(np.sum(counts, axis=0)) if counts else self.skills
        return replace(self, skills=skills, crowd=replace(self.crowd, **_named(skills, self.numbers)))


def _named(skills: Floats, numbers: Mapping[Annotator, int]) -> dict[str, Any]:
    learned = {annotator: Skill(*skills[number].tolist()) for annotator, number in numbers.items()}
    return {"skills": learned, "pool": Skill(*skills[-1].tolist())}


def study(
    tasks: Sequence[Sequence[Vote]], *, known: Mapping[int, str] | None = None, language: str | None = None
) -> Study:
    """The networks of a crowd's tasks, its annotators' skills, and its lexicon."""
    # Whatever order tasks come in, they are counted in one: that of their texts.
    order = sorted(range(len(tasks)), key=lambda place: sorted(vote.answer for vote in tasks[place]))
    heard = [_heard(tasks[place]) for place in order]
    if language is None:
        language = variants.guess(text for given in heard for _, text in given)
    ways = variants.of_language(language)
    spelled_out = ways.are_spelled_out([text for _, text in given] for given in heard)
    numbers: dict[Annotator, int] = {}
    for annotator in (annotator for given in heard for annotator, _ in given):
        numbers.setdefault(annotator, len(numbers))
    truth = len(numbers)  # what is known stands among the voices, as the last one, and weighs nothing
    spell = ways.spell_out if spelled_out else tuple
    heard = [[(annotator, spell(text)) for annotator, text in given] for given in heard]
    told = {place: spell(tuple(words(text))) for place, text in (known or {}).items()}

    voices = [[Voice(text, numbers[annotator]) for annotator, text in given] for given in heard]
    for own, place in zip(voices, order, strict=True):
        if place in told:
            own.append(Voice(told[place], truth, 0.0))
    chunks = [_evidence_of(voices[at : at + CHUNK], ways, truth) for at in range(0, len(voices), CHUNK)]
    skills = reliability.learn(chunks, truth + 1)
    leading = [_leading(evidence, skills) for evidence in chunks]
    copiers = copies.find(list(zip(heard, map(tuple, chain.from_iterable(leading)), strict=True)))
    if copiers:
        shares = {
            (task, numbers[who]): share
            for task, given in enumerate(heard)
            for (who, _), share in zip(given, copies.weights(given, copiers), strict=True)
            if share < 1
        }
        chunks = [evidence.weighed(shares, number * CHUNK) for number, evidence in enumerate(chunks)]
        skills = reliability.learn(chunks, truth + 1)
        leading = [_leading(evidence, skills) for evidence in chunks]
    lexicon = Lexicon()
    for evidence, texts in zip(chunks, leading, strict=True):
        lexicon.add(evidence.slots.written(), texts)
    crowd = TranscriptCrowd(
        **_named(skills, numbers),
        lexicon=lexicon.bounded(),
        language=language,
        spelled_out=spelled_out,
        copiers=copiers,
    )
    return Study(order, chunks, skills, crowd, numbers, sum(map(len, tasks)) - sum(map(len, heard)))


def _evidence_of(voices: Sequence[Sequence[Voice]], ways: Variants, truth: int) -> Evidence:
    slots = Slots.of(voices, ways)
    return Evidence.of(slots, slots.closeness(ways), slots.told_by(truth))


def _leading(evidence: Evidence, skills: Floats) -> list[list[str]]:
    believed = reliability.believe(evidence, skills).candidates
    return evidence.slots.texts(evidence.slots.leaders(believed))


class _Weighed(NamedTuple):
    slots: Slots
    belief: Belief
    leads: Integers
    texts: list[str]
    confidences: Floats
    skills: Floats


def _weigh(crowd: TranscriptCrowd, votes: Sequence[Vote], counted: bool) -> _Weighed:
    ways = variants.of_language(crowd.language)
    spell = ways.spell_out if crowd.spelled_out else tuple
    heard = [(annotator, spell(text)) for annotator, text in _heard(votes)]
    shares = copies.weights(heard, crowd.copiers)
    given = sorted(
        (text, crowd.skills.get(who, crowd.pool), share)
        for (who, text), share in zip(heard, shares, strict=True)
    )
    slots = Slots.of([[Voice(text, number, share) for number, (text, _, share) in enumerate(given)]], ways)
    evidence = Evidence.of(slots, slots.closeness(ways))
    skills = np.array([*(skill for _, skill, _ in given), crowd.pool])
    model = judge.shipped()
    sight = Sight.of(evidence, skills, Usage.of(slots, crowd.lexicon, crowd.frequency, counted))
    return _judge(sight, first_look(sight, skills, model), skills, model)


def first_look(sight: Sight, skills: Floats, model: Model) -> Belief:
    """What the model believes at the first look, which the noisy channel gave; what is known is known."""
    evidence = sight.evidence
    heard = reliability.believe(evidence, skills)
    belief = model.judge(evidence.slots, *judge.look(sight, heard), look=0)
    told = evidence.known >= 0
    return Belief(
        np.where(told[evidence.slots.slot], heard.candidates, belief.candidates),
        np.where(told, heard.none, belief.none),
    )


def _judge(sight: Sight, first: Belief, skills: Floats, model: Model) -> _Weighed:
    slots = sight.evidence.slots
    belief = model.judge(slots, *judge.look(sight, first), look=1)
    heard, silent = belief.candidates, _silent(slots)
    if silent.any():
        heard = np.where(silent, 1 - _all_wrong(slots, skills)[slots.slot], heard)
    belief = Belief(heard.round(6), belief.none)
    leads = slots.leaders(belief.candidates)
    tasks = len(slots.voices) - 1
    errors = total(on_grid(1 - belief.candidates[leads]), slots.task, tasks)
    lengths = total(~slots.empty[leads], slots.task, tasks)
    texts = [join(text) for text in slots.texts(leads)]
    confidences = np.where(np.diff(slots.voices) > 0, model.confidence(errors, lengths, skills[-1, 0]), 0.0)
    return _Weighed(slots, belief, leads, texts, confidences, skills)


def _silent(slots: Slots) -> Booleans:
    """Is the candidate what all agree on where nobody heard a word? (No known truth teaches it.)"""
    return slots.empty & (slots.width == 1)[slots.slot]


def _all_wrong(slots: Slots, skills: Floats) -> Floats:
    """For each slot, the chance that every voice of it is wrong, each on its own."""
    wrong = np.log(np.clip(1 - skills[slots.annotator, 0], 0.001, 1)) * slots.weight
    return np.exp(total(on_grid(wrong)[slots.cell_voice], slots.cell_slot, slots.count))


def _heard(votes: Sequence[Vote]) -> list[tuple[Annotator, Words]]:
    """One text of each annotator: of several, the one nearest to the texts of the others."""
    # Interned, a word is found in a set or a dictionary by its address.
    given = [(vote.annotator, tuple(map(intern, words(vote.answer)))) for vote in votes]
    if len(dict(given)) == len(given):
        return given
    texts: dict[Annotator, set[Words]] = defaultdict(set)
    for who, text in given:
        texts[who].add(text)
    others = {
        who: [text for other in texts if other != who for text in sorted(texts[other])] for who in texts
    }
    return [
        (who, min(own, key=lambda text: (sum(edit_distance(text, other) for other in others[who]), text)))
        for who, own in texts.items()
    ]


def _tied(slots: Slots, leads: Integers, skills: Floats) -> bool:
    """Is there a slot in which as much reliability is behind another word as behind the leading one?"""
    right = np.clip(skills[slots.annotator, 0], 0.001, 0.999)
    weights = total(
        on_grid(np.log(right / (1 - right)) * slots.weight)[slots.cell_voice], slots.chosen, slots.candidates
    )
    behind = weights == weights[leads][slots.slot]
    behind[leads] = False
    return bool(behind.any())


def _evidence(slots: Slots, probabilities: Floats, leads: Integers) -> list[dict[str, Any]]:
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
    # Where all agree that nobody spoke there is no word to speak of.
    return [] if list(slots.words) == [NO_WORD] else found

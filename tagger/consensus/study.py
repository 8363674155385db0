"""What a crowd's transcripts teach before the model judges any word: networks, skills, copiers, lexicon."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from sys import intern
from typing import Any

import numpy as np

from datasets.normalise import FORM, words

from . import copies, guessing, reliability, variants
from .inputs import FixedInputs, WordUsage
from .lexicon import Lexicon
from .network import Words, edit_distance
from .reliability import Belief, Evidence, Skill
from .slots import Floats, Slots, Voice
from .transcript_crowd import Annotator, TranscriptCrowd
from .variants import Variants
from .verdict import Vote

# Tasks processed together: enough for numpy to be fast, and few enough for the processor's cache.
CHUNK = 256


@dataclass(frozen=True)
class Study:
    """What was learned of a crowd.

    `order`: the places of the tasks in the order in which `chunks` hold them; `skills` (annotators + 1, 3): a
    row per annotator, the pool's last; `numbers`: each annotator's row; `repeated`: texts that were left out,
    as their annotator gave another one on the same task; `counts` (4, annotators): see `reliability.count`,
    once a model has judged.
    """

    order: list[int]
    chunks: list[Evidence]
    skills: Floats
    crowd: TranscriptCrowd
    numbers: dict[Annotator, int]
    repeated: int
    counts: Floats | None = None

    def usage(self, evidence: Evidence) -> WordUsage:
        """The word usage of one chunk, whose texts the lexicon contains."""
        return WordUsage.of(evidence.slots, self.crowd.lexicon, self.crowd.frequency, counted=True)

    def fixed_inputs(self, evidence: Evidence, usage: WordUsage | None = None) -> FixedInputs:
        """The inputs of one chunk that do not depend on a belief."""
        return FixedInputs.of(evidence, self.skills, usage or self.usage(evidence))

    def with_skills_from(self, beliefs: Sequence[Belief]) -> "Study":
        """The same study with skills estimated from a belief for each chunk."""
        counts = [
            reliability.count(evidence.slots, belief, len(self.skills) - 1)
            for evidence, belief in zip(self.chunks, beliefs, strict=True)
        ]
        if not counts:
            return self
        whole = np.sum(counts, axis=0)
        skills = reliability.estimate(whole)
        crowd = replace(self.crowd, **_by_name(skills, self.numbers))
        return replace(self, skills=skills, crowd=crowd, counts=whole)


def study_crowd(
    tasks: Sequence[Sequence[Vote]], *, known: Mapping[int, str] | None = None, language: str | None = None
) -> Study:
    """Learn the networks of a crowd's tasks, its annotators' skills, its copiers and its lexicon.

    `known`: the true text of some tasks, by place; `language`: its code, guessed from the words if not given.
    """
    # The order of the tasks must not matter, so they are sorted by their texts.
    order = sorted(range(len(tasks)), key=lambda place: sorted(vote.answer for vote in tasks[place]))
    spoken = language or ""
    given = [texts_by_annotator(tasks[place], spoken) for place in order]
    if language is None:
        spoken = guessing.guess(text for texts in given for _, text in texts)
        if spoken:
            given = [texts_by_annotator(tasks[place], spoken) for place in order]
    ways = variants.of_language(spoken)
    spelled_out = ways.are_spelled_out([text for _, text in texts] for texts in given)
    numbers: dict[Annotator, int] = {}
    for annotator in (annotator for texts in given for annotator, _ in texts):
        numbers.setdefault(annotator, len(numbers))
    truth = len(numbers)  # a known text is one more voice, with this number and no weight
    spell = ways.spell_out if spelled_out else tuple
    given = [[(annotator, spell(text)) for annotator, text in texts] for texts in given]
    true_texts = {place: spell(tuple(words(text, spoken))) for place, text in (known or {}).items()}

    voices = [[Voice(text, numbers[annotator]) for annotator, text in texts] for texts in given]
    for of_task, place in zip(voices, order, strict=True):
        if place in true_texts:
            of_task.append(Voice(true_texts[place], truth, 0.0))
    chunks = [_evidence(voices[at : at + CHUNK], ways, truth) for at in range(0, len(voices), CHUNK)]
    skills = reliability.learn(chunks, truth + 1)
    leading = [_leading_texts(evidence, skills) for evidence in chunks]
    copiers = copies.find(list(zip(given, map(tuple, chain.from_iterable(leading)), strict=True)))
    if copiers:
        shares = {
            (task, numbers[who]): share
            for task, texts in enumerate(given)
            for (who, _), share in zip(texts, copies.weights(texts, copiers), strict=True)
            if share < 1
        }
        chunks = [evidence.weighed(shares, number * CHUNK) for number, evidence in enumerate(chunks)]
        skills = reliability.learn(chunks, truth + 1)
        leading = [_leading_texts(evidence, skills) for evidence in chunks]
    lexicon = Lexicon()
    for evidence, texts_of_chunk in zip(chunks, leading, strict=True):
        lexicon.add(evidence.slots.distinct_words(), texts_of_chunk)
    crowd = TranscriptCrowd(
        **_by_name(skills, numbers),
        lexicon=lexicon.bounded(),
        language=spoken,
        spelled_out=spelled_out,
        copiers=copiers,
    )
    return Study(order, chunks, skills, crowd, numbers, sum(map(len, tasks)) - sum(map(len, given)))


def texts_by_annotator(
    votes: Sequence[Vote], language: str, form: int = FORM
) -> list[tuple[Annotator, Words]]:
    """One text per annotator, as words in normal form: of several, the one nearest to the others' texts.

    `language`: by whose spelling; "" by none. `form`: see datasets.normalise.
    """
    # Interned words are found in sets and dictionaries by their address.
    given = [(vote.annotator, tuple(map(intern, words(vote.answer, language, form)))) for vote in votes]
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


def _by_name(skills: Floats, numbers: Mapping[Annotator, int]) -> dict[str, Any]:
    """The fields `skills` and `pool` of a crowd."""
    learned = {annotator: Skill(*skills[number].tolist()) for annotator, number in numbers.items()}
    return {"skills": learned, "pool": Skill(*skills[-1].tolist())}


def _evidence(voices: Sequence[Sequence[Voice]], ways: Variants, truth: int) -> Evidence:
    slots = Slots.of(voices, ways)
    return Evidence.of(slots, slots.closeness(ways), slots.chosen_by(truth))


def _leading_texts(evidence: Evidence, skills: Floats) -> list[list[str]]:
    believed = reliability.believe(evidence, skills).candidates
    return evidence.slots.texts(evidence.slots.leaders(believed))

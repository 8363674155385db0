"""Made crowds of transcripts in six languages: the share of wrong words, expected and true, with the language
unknown, guessed and given, beside ROVER.

Sentences are of a language's commoner words, by how common they are. Five people write each down: they
mishear a word as one that looks like it, leave words out, put others in, and have habits of their own.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from crowdkit.aggregation import ROVER
from rapidfuzz.distance import Levenshtein
from wordfreq import get_frequency_dict

from datasets.normalise import join, words
from tagger.consensus import transcripts
from tagger.consensus.verdict import Vote

NEEDS_DATA = False

LANGUAGES = ("en", "es", "de", "ru", "ar", "zh")
# The commonest words of each language, the clips, the people, and how many of them hear each clip.
WORDS, CLIPS, PEOPLE, EACH = 4_000, 400, 40, 5
LENGTHS = (5, 14)
# The share of right words of the worst and of the best of them; a third of the other words is left out.
RIGHT, LEFT_OUT, PUT_IN = (0.7, 0.95), 1 / 3, 0.01
# Of so many words, drawn by how common they are, the most similar one is what someone hears instead.
HEARD_AMONG = 60
LINE = "{:9}{:>9}" + "{:>9}" * 3 + "  " + "{:>9}" * 3 + "{:>9}"


class Crowd(NamedTuple):
    tasks: list[list[Vote]]
    truth: list[str]


@dataclass(frozen=True)
class Vocabulary:
    """Words, the commonest first, with the share of each among all that is said."""

    words: tuple[str, ...]
    shares: tuple[float, ...]

    def draw(self, dice: random.Random, number: int) -> list[str]:
        return dice.choices(self.words, self.shares, k=number)


def main(data: Path) -> None:
    print(f"{CLIPS} clips by {EACH} of {PEOPLE} people; wrong words in percent (characters in zh)")
    print(LINE.format("", "", "expected", "", "", "true", "", "", ""))
    print(LINE.format("", "guessed", *("unknown", "guessed", "given") * 2, "ROVER"))
    for language in LANGUAGES:
        print(LINE.format(language, *_measured(language)), flush=True)


def _measured(language: str) -> list[str]:
    crowd = made(language)
    fits = [transcripts.fit(crowd.tasks, language=each) for each in ("", None, language)]
    expected = [100 * (1 - float(np.mean(found.confidences))) for found in fits]
    texts = [*(found.texts for found in fits), rover(crowd.tasks, language)]
    true = [wrong(each, crowd.truth, language) for each in texts]
    return [fits[1].crowd.language or "nothing", *(f"{each:.2f}" for each in (*expected, *true))]


@cache
def vocabulary(language: str) -> Vocabulary:
    """Of the words that letters alone spell."""
    listed = [(word, share) for word, share in get_frequency_dict(language, "best").items() if word.isalpha()]
    common = sorted(listed, key=lambda each: (-each[1], each[0]))
    found, shares = zip(*common[:WORDS], strict=True)
    return Vocabulary(found, shares)


def made(language: str, seed: int = 7) -> Crowd:
    """The same crowd for the same seed."""
    dice, known = random.Random(f"{language} {seed}"), vocabulary(language)
    people = [_person(dice, place / (PEOPLE - 1), known) for place in range(PEOPLE)]
    tasks, truth = [], []
    for _clip in range(CLIPS):
        said = known.draw(dice, dice.randint(*LENGTHS))
        truth.append(join(said) if language == "zh" else " ".join(said))
        hearing = dice.sample(range(PEOPLE), EACH)
        tasks.append([Vote(who, _written(people[who](said), who, language)) for who in hearing])
    return Crowd(tasks, truth)


def _person(dice: random.Random, place: float, known: Vocabulary) -> Callable[[Sequence[str]], list[str]]:
    right = RIGHT[0] + (RIGHT[1] - RIGHT[0]) * place

    def hear(said: Sequence[str]) -> list[str]:
        heard = []
        for word in said:
            if dice.random() < right:
                heard.append(word)
            elif dice.random() > LEFT_OUT:
                heard.append(_alike(word, dice, known))
            if dice.random() < PUT_IN:
                heard += known.draw(dice, 1)
        return heard

    return hear


def _alike(word: str, dice: random.Random, known: Vocabulary) -> str:
    others = [other for other in known.draw(dice, HEARD_AMONG) if other != word]
    return max(others, key=lambda other: Levenshtein.normalized_similarity(word, other))


def _written(heard: Sequence[str], who: int, language: str) -> str:
    """By one person's habits: capitals, a full stop, commas."""
    text = "".join(heard) if language == "zh" else " ".join(heard)
    text = text.capitalize() if who % 2 else text
    return text + ("。" if language == "zh" else ".") if who % 3 else text


def rover(tasks: Sequence[Sequence[Vote]], language: str) -> list[str]:
    """crowd-kit's texts, on words as the engine compares them."""
    rows = [
        (task, vote.annotator, "\0".join(words(vote.answer, language)))
        for task, votes in enumerate(tasks)
        for vote in votes
    ]
    frame = pd.DataFrame(rows, columns=["task", "worker", "text"])
    found = ROVER(lambda text: text.split("\0"), "\0".join).fit_predict(frame)
    return [join(filter(None, found[task].split("\0"))) for task in range(len(tasks))]


def wrong(texts: Sequence[str], truth: Sequence[str], language: str) -> float:
    """The mean share of wrong words of the clips, in percent."""
    pairs = [(words(text, language), words(true, language)) for text, true in zip(texts, truth, strict=True)]
    return 100 * float(np.mean([Levenshtein.distance(text, true) / len(true) for text, true in pairs]))

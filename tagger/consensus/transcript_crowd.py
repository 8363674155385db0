"""What is known of a crowd that transcribes, and the part of it that a certificate keeps."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Any

from datasets.normalise import FORM

from . import copies, frequencies
from .frequencies import Frequency
from .lexicon import Lexicon
from .reliability import STRANGER, Skill

Annotator = str | int


@dataclass(frozen=True)
class TranscriptCrowd:
    """What the last refit learned about one crowd: those who transcribe in one language.

    `skills`: each known annotator's; `pool`: that of a stranger, who is not in `skills`; `copiers`: pairs who
    hand in identical texts; `spelled_out`: whether the crowd writes numerals as they are spoken, so that its
    texts do too; `frequencies`: Zipf values of words, if they were stored with a decision, else those of the
    language's list are used; `normal_form`: the form in which its texts are compared, see datasets.normalise.
    """

    skills: Mapping[Annotator, Skill] = field(default_factory=dict)
    pool: Skill = STRANGER
    lexicon: Lexicon = field(default_factory=Lexicon)
    language: str = ""
    spelled_out: bool = False
    copiers: frozenset[copies.Pair] = frozenset()
    frequencies: Mapping[str, float] | None = None
    normal_form: int = FORM

    @property
    def spelling(self) -> str:
        """The language by whose spelling its texts are compared; "" in form 1, in which none counted."""
        return self.language if self.normal_form > 1 else ""

    @property
    def frequency(self) -> Frequency:
        """The Zipf value of a word, see `frequencies.Frequency`."""
        if self.frequencies is None:
            return frequencies.of_language(self.language)
        return self.frequencies.get

    @classmethod
    def strangers(cls, language: str = "") -> "TranscriptCrowd":
        """A crowd of which nothing but the language is known."""
        return cls(language=language)

    def reliability(self, annotator: Annotator) -> float:
        """The expected share of an annotator's right words, from 0 to 1."""
        return self.skills.get(annotator, self.pool).right

    def recording(self) -> "TranscriptCrowd":
        """The same crowd, with a lexicon that records what decisions look up, for `as_json`."""
        lexicon = Lexicon(_RecordingCounter(self.lexicon.words), _RecordingCounter(self.lexicon.pairs))
        return replace(self, lexicon=lexicon)

    def as_json(self, annotators: Sequence[Annotator]) -> dict[str, Any]:
        """What the decisions on these annotators' votes used, of a crowd from `recording`.

        It names no one: `skills` is in the order of `annotators`, None for a stranger, and `copiers` are
        pairs of places in that order.

        >>> TranscriptCrowd.strangers("en").recording().as_json(["ann"])["skills"]
        [None]
        """
        common = {word: self.frequency(word) for word in sorted(self.lexicon.words) if word}
        skills = [self.skills.get(annotator) for annotator in annotators]
        pairs = combinations(range(len(annotators)), 2)
        copiers = [pair for pair in pairs if frozenset(annotators[at] for at in pair) in self.copiers]
        return {
            "language": self.language,
            # What was decided in form 1 does not say so.
            **({"normal_form": self.normal_form} if self.normal_form > 1 else {}),
            "spelled_out": self.spelled_out,
            "copiers": copiers,
            "pool": list(self.pool),
            "skills": [skill and list(skill) for skill in skills],
            "words": _positive(self.lexicon.words),
            "pairs": _positive(self.lexicon.pairs),
            "frequencies": {word: zipf for word, zipf in common.items() if zipf is not None} or None,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any], annotators: Sequence[Annotator]) -> "TranscriptCrowd":
        """The part of a crowd that `as_json` returned; `annotators` in the same order as there."""
        skills = zip(annotators, data["skills"], strict=True)
        return cls(
            {annotator: Skill(*skill) for annotator, skill in skills if skill},
            Skill(*data["pool"]),
            Lexicon(Counter(data["words"]), Counter(data["pairs"])),
            data["language"],
            data["spelled_out"],
            frozenset(frozenset(annotators[at] for at in pair) for pair in data["copiers"]),
            data.get("frequencies"),
            data.get("normal_form", 1),
        )


class _RecordingCounter(Counter[str]):
    """The counts that were looked up in `source` with `get`, zeros included."""

    def __init__(self, source: Counter[str]) -> None:
        super().__init__()
        self.source = source

    def get(self, key: str, default: Any = None) -> Any:
        self[key] = count = self.source.get(key, default)
        return count


def _positive(counts: Counter[str]) -> dict[str, int]:
    return {key: count for key, count in sorted(counts.items()) if count}

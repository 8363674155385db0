"""What a release holds, for everyone to read: counts and shapes without ids, as of the day's recall feed.

They are counted when the release is made and after each feed that changed it, and kept, so that reading them
takes as long for ten million clips as for ten. Counts of speakers are those that were published with noise
when it was made (datasets.releases.budget), and of these none is told that is below the least for the
release's audience.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any, NamedTuple

from django.db.models import Count, F, FloatField, IntegerField, Sum, TextField, Value
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Cast, Coalesce, Floor, NullIf

from datasets.models import Label, Recall, Release

from . import groups, pinning
from .formats.rows import SPLITS, WAKE_WORD
from .formats.subsets import Subset

LENGTHS = (0.5, 1, 2, 5, 10, 30, 60)  # seconds, the widths that a bin of lengths may have
LENGTH_STEPS = 2  # to a second
MOST_BINS = 16
CONFIDENCES = 20  # bins from 0 to 1
DECIMALS = 3  # the last ones of a sum would say in which order it was added, and so that a row moved

Line = dict[str, Any]  # what a recall keeps of an erased row until the next feed


@dataclass(frozen=True)
class Group:
    """A release or a part of it. `speakers` carry noise; None where their number is not told: if it
    `is_small`, as it is below the least number, else as the budget for such counts was spent."""

    name: str
    clips: int
    seconds: float
    speakers: int | None
    is_small: bool = False

    @property
    def hours(self) -> float:
        return self.seconds / 3600


@dataclass(frozen=True)
class Histogram:
    """`edges` ascend, and are one more than `counts`."""

    edges: list[float]
    counts: list[int]


@dataclass(frozen=True)
class Figures:
    """`agreement`: of two answers to the same clip, the share that is the same; None if no clip has two
    labels. `doubt`: the mean of 1 - confidence. `answers`: (label, clips), the most frequent first; empty for
    transcripts."""

    whole: Group
    least: int
    languages: list[str]
    splits: list[Group]
    subsets: list[Group]
    wake_words: list[str]
    answers: list[tuple[str, int]]
    lengths: Histogram
    confidences: Histogram
    agreement: float | None
    doubt: float


class _Cell(NamedTuple):
    """The rows that are alike in the first five. The others are sums, `several` and `agreed` over the clips
    with more than one answer (see _agreement)."""

    split: str
    subset: int
    answer: str
    length: int
    confidence: int
    clips: int
    seconds: float
    confidences: float
    several: int
    agreed: float


def of(release: Release) -> Figures:
    kept = release.contents or keep(release)
    subsets, least = pinning.subsets_of(release), groups.least(release)
    people = release.figures.get("people", {})
    by_subset = dict(enumerate(people.get("subsets", [])))

    def group(name: str, part: Mapping[str, Any], speakers: int | None) -> Group:
        return Group(name, part["clips"], part["seconds"], *_told(speakers, least))

    found = [(subsets[part["subset"]], part) for part in kept["subsets"]]
    return Figures(
        whole=group("all", kept, people.get("speakers") if kept["clips"] else 0),
        least=least,
        languages=sorted({subset.language for subset in subsets}),
        splits=[
            group(part["split"], part, people.get("splits", {}).get(part["split"])) for part in kept["splits"]
        ],
        subsets=[group(_name(subset), part, by_subset.get(part["subset"])) for subset, part in found],
        wake_words=sorted({subset.wake_word for subset, _part in found if subset.kind == WAKE_WORD}),
        answers=[(answer, clips) for answer, clips in kept["answers"]],
        lengths=Histogram(**kept["lengths"]),
        confidences=Histogram(**kept["confidences"]),
        agreement=kept["agreement"],
        doubt=kept["doubt"],
    )


def keep(release: Release) -> dict[str, Any]:
    """Count what the feed lists, and keep it, unless the feed changed while it was counted."""
    release.contents = _count(release)
    still = Release.objects.filter(pk=release.pk, changed_on=release.changed_on)
    still.update(contents=release.contents)
    return release.contents


def _count(release: Release) -> dict[str, Any]:
    cells, subsets = _cells(release), pinning.subsets_of(release)
    labels, lengths, confidences = Counter[str](), Counter[int](), Counter[int]()
    for cell in cells:
        lengths[cell.length] += cell.clips
        confidences[cell.confidence] += cell.clips
        if subsets[cell.subset].kind == WAKE_WORD:
            labels[cell.answer] += cell.clips
    splits = _parts(cells, "split", lambda cell: cell.split)
    return _sums(cells) | {
        "splits": sorted(splits, key=lambda part: SPLITS.index(part["split"])),
        "subsets": _parts(cells, "subset", lambda cell: cell.subset),
        "answers": labels.most_common(),
        "lengths": _lengths(lengths),
        "confidences": _confidences(confidences),
        "agreement": _agreement(cells),
        "doubt": _doubt(cells),
    }


def _cells(release: Release) -> list[_Cell]:
    """Counted in one statement, so that a row that is erased meanwhile counts once. What was erased since the
    feed still counts, so that no figure says when someone left."""
    alike = release.rows.listed().order_by()
    alike = alike.annotate(
        length=_step("task__clip__seconds", LENGTH_STEPS),
        step=_step("confidence", CONFIDENCES),
        share=_share_of_equal_answers(),
    )
    counted = alike.values_list("split", "subset", "plain_answer", "length", "step").annotate(
        clips=Count("pk"),
        seconds=Sum("task__clip__seconds"),
        confidences=Sum("confidence"),
        several=Count("share"),
        agreed=Coalesce(Sum("share"), 0.0),
        line=_TEXT,
    )
    erased = Recall.objects.filter(release=release).erased()
    as_text = Cast("line", TextField())
    lines = erased.values_list(
        _TEXT, _WHOLE, _TEXT, _WHOLE, _WHOLE, _WHOLE, _REAL, _REAL, _WHOLE, _REAL, as_text
    )
    found = counted.union(lines, all=True)
    return [_cell_of(json.loads(line)) if line else _Cell(*cell) for *cell, line in found]


# Instead of what only rows have, and only lines.
_TEXT = Value("", output_field=TextField())
_WHOLE = Value(0, output_field=IntegerField())
_REAL = Value(0.0, output_field=FloatField())


def _step(column: str, steps: int) -> Cast:
    """Between which step and the next a value is; `steps` is their number in 1."""
    return Cast(Floor(F(column) * Value(steps, output_field=FloatField())), IntegerField())


def _share_of_equal_answers() -> Any:
    """Of all pairs of answers to one clip, the share of equal ones; null without two labels."""
    votes = [
        Coalesce(Cast(KeyTextTransform(label, KeyTransform("votes", "plain_soft")), IntegerField()), Value(0))
        for label in Label.values
    ]
    given: Any = sum(votes[1:], start=votes[0])
    same: Any = sum((vote * (vote - 1) for vote in votes[1:]), start=votes[0] * (votes[0] - 1))
    return Cast(same, FloatField()) / NullIf(given * (given - 1), Value(0))


def _cell_of(line: Line) -> _Cell:
    votes = (line["soft"] or {}).get("votes", {}).values() if line["kind"] == WAKE_WORD else ()
    pairs = sum(votes) * (sum(votes) - 1)
    return _Cell(
        split=line["split"],
        subset=line["subset"],
        answer=line["label"] or "",
        length=int(line["seconds"] * LENGTH_STEPS),
        confidence=int(line["confidence"] * CONFIDENCES),
        clips=1,
        seconds=line["seconds"],
        confidences=line["confidence"],
        several=1 if pairs else 0,
        agreed=sum(vote * (vote - 1) for vote in votes) / pairs if pairs else 0.0,
    )


def _sums(cells: Sequence[_Cell]) -> dict[str, Any]:
    seconds = round(sum(cell.seconds for cell in cells), DECIMALS)
    return {"clips": sum(cell.clips for cell in cells), "seconds": seconds}


def _parts(cells: Iterable[_Cell], key: str, key_of: Callable[[_Cell], Any]) -> list[dict[str, Any]]:
    """The largest first."""
    parts = defaultdict[Any, list[_Cell]](list)
    for cell in cells:
        parts[key_of(cell)].append(cell)
    found = [{key: name, **_sums(of_part)} for name, of_part in parts.items()]
    return sorted(found, key=lambda part: (-part["clips"], part[key]))


def _name(subset: Subset) -> str:
    """
    >>> _name(Subset("wake-word-en-hey", "wake-word", "en", "hey"))
    'en · hey'
    """
    return f"{subset.language} · {subset.wake_word or subset.kind}"


def _told(speakers: int | None, least: int) -> tuple[int | None, bool]:
    """The number as it may be told, and whether it is too small for that."""
    is_small = speakers is not None and speakers < least
    return (None if is_small else speakers), is_small


def _lengths(found: Counter[int]) -> dict[str, list[Any]]:
    """A histogram in bins of a width that makes them few."""
    end = (max(found, default=0) + 1) / LENGTH_STEPS
    width = next((each for each in LENGTHS if end / each <= MOST_BINS), LENGTHS[-1])
    counts = [0] * ceil(end / width)
    for step, clips in found.items():
        counts[int(step / LENGTH_STEPS / width)] += clips
    return {"edges": [round(width * place, 2) for place in range(len(counts) + 1)], "counts": counts}


def _confidences(found: Counter[int]) -> dict[str, list[Any]]:
    """A histogram from the lowest bin that has any to 1, which is in the last one."""
    counts = [0] * CONFIDENCES
    for step, clips in found.items():
        counts[min(max(step, 0), CONFIDENCES - 1)] += clips
    first = next((place for place, clips in enumerate(counts) if clips), 0)
    first = min(first, CONFIDENCES - 2)
    edges = [place / CONFIDENCES for place in range(first, CONFIDENCES + 1)]
    return {"edges": edges, "counts": counts[first:]}


def _agreement(cells: Iterable[_Cell]) -> float | None:
    """Of all pairs of answers to one clip, the share of equal ones, each clip counting once (Fleiss 1971,
    doi:10.1037/h0031619, the observed agreement)."""
    with_labels = [cell for cell in cells if cell.answer]
    several = sum(cell.several for cell in with_labels)
    return round(sum(cell.agreed for cell in with_labels) / several, DECIMALS) if several else None


def _doubt(cells: Sequence[_Cell]) -> float:
    clips = sum(cell.clips for cell in cells)
    return round(1 - sum(cell.confidences for cell in cells) / clips, DECIMALS) if clips else 0.0

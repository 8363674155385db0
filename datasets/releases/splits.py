"""Divides speakers among train, dev and test: no speaker is in two splits, and no data is discarded."""

import hashlib
from collections.abc import Hashable, Mapping, Sequence
from math import fsum
from typing import TypeVar

Speaker = TypeVar("Speaker", bound=Hashable)

TARGETS = (("train", 0.8), ("dev", 0.1), ("test", 0.1))


def assign(
    speakers: Mapping[Speaker, float],
    seed: str,
    targets: Sequence[tuple[str, float]] = TARGETS,
    fixed: Mapping[Speaker, str] | None = None,
) -> dict[Speaker, str]:
    """Each speaker's split, given each speaker's seconds.

    Those in `fixed` are where that says. Of the others, each speaker in turn goes to the split that misses
    most seconds of its target. With at least as many speakers as splits, no split is empty, unless `fixed`
    leaves too few; with fewer, the first split gets one, then the last (train, then test). The same seed and
    speakers give the same splits. Raises ValueError for negative seconds.

    >>> assign({"ann": 90.0, "bob": 5.0, "cy": 5.0, "di": 400.0}, seed="release 1")["di"]
    'train'
    """
    assigned: dict[Speaker, str] = {each: split for each, split in (fixed or {}).items() if each in speakers}
    used = _used(targets, len(speakers))
    total = fsum(speakers.values())
    missing = {split: share * total for split, share in used}
    empty = [split for split, _ in used if split not in assigned.values()]
    for speaker, split in assigned.items():
        if split in missing:
            missing[split] -= speakers[speaker]
    new = {speaker: seconds for speaker, seconds in speakers.items() if speaker not in assigned}
    for speaker in _order(new, seed, total * min(share for _, share in targets)):
        must_fill = 0 < len(speakers) - len(assigned) <= len(empty)
        split = max(empty if must_fill else missing, key=missing.__getitem__)
        assigned[speaker] = split
        missing[split] -= speakers[speaker]
        if split in empty:
            empty.remove(split)
    return assigned


def _used(targets: Sequence[tuple[str, float]], speakers: int) -> list[tuple[str, float]]:
    """The splits that get a speaker: with too few speakers, the first and the last ones."""
    kept = max(1, min(speakers, len(targets)))
    return [targets[0], *targets[len(targets) - kept + 1 :]]


def _order(speakers: Mapping[Speaker, float], seed: str, smallest_split: float) -> list[Speaker]:
    """Speakers with more than half of the smallest split come first, by size, because they could overfill
    it. The order of the others is random, so that talkative people are as likely in test as others."""

    def key(speaker: Speaker) -> tuple[float, bytes]:
        seconds = speakers[speaker]
        if seconds < 0:
            raise ValueError(f"speaker {speaker!r} has {seconds} seconds")
        large = seconds > smallest_split / 2
        return (-seconds if large else 0.0, _random_rank(seed, speaker))

    return sorted(speakers, key=key)


def _random_rank(seed: str, speaker: Hashable) -> bytes:
    return hashlib.sha256(f"{seed}\0{speaker}".encode()).digest()

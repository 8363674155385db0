"""Train, dev and test that share no speaker, without throwing data away."""

import hashlib
from collections.abc import Mapping, Sequence
from math import fsum

TARGETS = (("train", 0.8), ("dev", 0.1), ("test", 0.1))


def assign(
    speakers: Mapping[str, float],
    seed: str,
    targets: Sequence[tuple[str, float]] = TARGETS,
) -> dict[str, str]:
    """Each speaker's split, given each speaker's seconds.

    One after another, speakers go to the split that lacks the most seconds. With as many speakers as splits
    none stays empty; with fewer, the first split is served first and then the last (train, then test). The
    same seed and speakers give the same splits. Raises ValueError naming a speaker of negative seconds.

    >>> assign({"ann": 90.0, "bob": 5.0, "cy": 5.0, "di": 400.0}, seed="release 1")["di"]
    'train'
    """
    served = _served(targets, len(speakers))
    total = fsum(speakers.values())
    lacking = {split: share * total for split, share in served}
    empty = [split for split, _ in served]
    assigned: dict[str, str] = {}
    for speaker in _order(speakers, seed, total * min(share for _, share in targets)):
        must_fill = len(speakers) - len(assigned) <= len(empty)
        split = max(empty if must_fill else lacking, key=lacking.__getitem__)
        assigned[speaker] = split
        lacking[split] -= speakers[speaker]
        if split in empty:
            empty.remove(split)
    return assigned


def _served(targets: Sequence[tuple[str, float]], speakers: int) -> list[tuple[str, float]]:
    kept = max(1, min(speakers, len(targets)))
    return [targets[0], *targets[len(targets) - kept + 1 :]]


def _order(speakers: Mapping[str, float], seed: str, smallest_split: float) -> list[str]:
    """Who could upset a split goes first, largest first; the rest by lot, so that talkative people are
    as likely in the test as others are."""

    def key(speaker: str) -> tuple[float, bytes]:
        seconds = speakers[speaker]
        if seconds < 0:
            raise ValueError(f"speaker {speaker!r} has {seconds} seconds")
        large = seconds > smallest_split / 2
        return (-seconds if large else 0.0, _lot(seed, speaker))

    return sorted(speakers, key=key)


def _lot(seed: str, speaker: str) -> bytes:
    return hashlib.sha256(f"{seed}\0{speaker}".encode()).digest()

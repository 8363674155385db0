"""Measures the quality of stored clips: of imported ones, and of those from before it was measured.

Some at a time, in the background. May be killed at any moment and run again.
"""

import math
import random
from collections.abc import Callable, Iterator

import numpy as np
from django.db.models import Max, Min, QuerySet

from accounts.ciphers import KeyLost
from datasets.models import Clip

from . import audio, quality, vault

BATCH_SIZE = 20
MOST_UNREADABLE = 100  # of one run: after a disk was lost, it is not searched from end to end each time


def measure_some(is_time_left: Callable[[], bool]) -> int:
    """Measure clips as long as there is time; returns how many.

    What cannot be read is passed over: it is just being erased, or lost, which the reconciler reports. The
    next run begins elsewhere, so that lost ones never stop the others for good.
    """
    measured = unreadable = 0
    for clip in _waiting():
        if not is_time_left() or unreadable == MOST_UNREADABLE:
            break
        changed = _measure(clip)
        measured += changed
        unreadable += not changed
    return measured


def _waiting() -> Iterator[Clip]:
    """All of them, from a random one on."""
    waiting = Clip.objects.filter(clipping=None, withdrawal=None)
    bounds = waiting.aggregate(first=Min("pk"), last=Max("pk"))
    if bounds["first"] is None:
        return
    start = random.randint(bounds["first"], bounds["last"])
    yield from _in_order(waiting.filter(pk__gte=start))
    yield from _in_order(waiting.filter(pk__lt=start))


def _in_order(clips: QuerySet[Clip]) -> Iterator[Clip]:
    ordered, last = clips.select_related("contributor__data_key").order_by("pk"), 0
    while some := list(ordered.filter(pk__gt=last)[:BATCH_SIZE]):
        yield from some
        last = some[-1].pk


def _measure(clip: Clip) -> int:
    """How many rows were changed: none if the clip's sound was replaced meanwhile."""
    try:
        samples = audio.read(vault.get(clip))
    except (FileNotFoundError, KeyLost):
        return 0
    heard = _without_silenced(samples, clip.silenced)
    snr = quality.snr(heard, audio.speech_frames(heard))
    unchanged = Clip.objects.filter(pk=clip.pk, stored_as=clip.stored_as, clipping=None)
    return unchanged.update(snr=snr, clipping=quality.clipping(heard))


def _without_silenced(samples: np.ndarray, silenced: list[list[float]]) -> np.ndarray:
    """What is left of int16 (n,) when silenced seconds, [from, to], are cut out: their zeros are no noise."""
    is_kept = np.ones(len(samples), bool)
    for start, end in silenced:
        is_kept[math.floor(start * audio.RATE) : math.ceil(end * audio.RATE)] = False
    return samples[is_kept]

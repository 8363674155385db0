"""Made sounds in which something private is said, mixed into the checks to measure what people miss.

`manage.py make_known_positives` makes them, with made voices that say invented names and numbers.
"""

from collections.abc import Iterable
from datetime import datetime
from random import Random, SystemRandom

import numpy as np
from django.conf import settings

from accounts.models import User
from datasets.clips import audio
from tagger.models import KnownPositive

dice: Random = SystemRandom()


def add(sounds: Iterable[np.ndarray], language: str, now: datetime) -> int:
    """Store these sounds, each int16 (n,) at 16 kHz; returns how many."""
    made = [
        KnownPositive(
            language=language, seconds=audio.seconds(samples), sound=audio.wav(samples), made_at=now
        )
        for samples in sounds
    ]
    return len(KnownPositive.objects.bulk_create(made))


def due(checker: User, language: str) -> KnownPositive | None:
    """One that this person gets instead of a clip of this language, at random; none twice."""
    if dice.random() >= settings.KNOWN_CHECKS_SHARE:
        return None
    fresh = KnownPositive.objects.filter(language=language).exclude(checks__checker=checker)
    return fresh.order_by("?").first()

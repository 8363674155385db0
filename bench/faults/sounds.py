"""Clips that are all different: each is one sample longer than the one before."""

import array
import io
import math
import sys
import wave
from collections.abc import Iterator
from itertools import count

from .diary import RATE

SHORTEST = RATE // 2


def numbers() -> Iterator[int]:
    """Lengths in samples, each given once."""
    return count(SHORTEST)


def wav(samples: int) -> bytes:
    """A tone of this many samples."""
    tone = array.array("h", (round(9_000 * math.sin(at / 9)) for at in range(samples)))
    if sys.byteorder == "big":
        tone.byteswap()
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(tone.tobytes())
    return buffer.getvalue()

"""Voices and noises for the demo, made on this machine: nobody's voice is in it.

Speech comes from eSpeak NG, through the wheel `espeakng-loader` (a development extra, GPL-3).
"""

import ctypes
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
import soxr

try:
    import espeakng_loader
except ImportError:  # an extra: only the demo speaks
    espeakng_loader = None

RATE = 16_000

# From espeak-ng's speak_lib.h.
_SYNCHRONOUS, _DONT_EXIT = 2, 0x8000
_UTF8, _CHARACTERS = 1, 1
_SPEED, _VOLUME, _PITCH, _RANGE = 1, 2, 3, 4
_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_int16), ctypes.c_int, ctypes.c_void_p
)


class NoVoices(RuntimeError):
    """Speech cannot be made here; the message says what is missing."""


@dataclass(frozen=True)
class Voice:
    """A speaker of the demo.

    ``variant`` is one of eSpeak's ("f2", "m3"); ``speed`` is in words a minute; ``pitch`` and
    ``melody`` (how far the pitch moves) go from 0 to 99.
    """

    name: str
    language: str
    variant: str
    speed: int = 165
    pitch: int = 50
    melody: int = 50


VOICES = (
    Voice("Ada", "en-us", "f2", speed=160, pitch=55),
    Voice("Ben", "en-us", "m3", speed=150, pitch=35, melody=60),
    Voice("Cleo", "en-gb-x-rp", "f4", speed=175, pitch=60, melody=70),
    Voice("Dougal", "en-gb-scotland", "m7", speed=155, pitch=40),
    Voice("Esme", "en-029", "f3", speed=150, pitch=70, melody=80),
    Voice("Frank", "en-us-nyc", "m1", speed=190, pitch=25, melody=30),
    Voice("Greta", "en-gb-x-gbclan", "grandma", speed=130, pitch=45),
    Voice("Hugo", "en-gb-x-gbcwmd", "m5", speed=170, pitch=60, melody=40),
    Voice("Ines", "es", "f2", speed=160, pitch=55),
    Voice("Javier", "es-419", "m3", speed=150, pitch=40),
)


def speak(text: str, voice: Voice) -> np.ndarray:
    """``text`` said by ``voice``: int16 (n,) at 16 kHz, the same samples every time.

    Raises NoVoices where eSpeak is not installed, ValueError for a voice that it does not have.
    """
    with _lock:
        espeak = _espeak()
        _choose(espeak, voice)
        spoken = espeak.say(text)
    return _int16(soxr.resample(spoken / 32_768, espeak.rate, RATE, quality="HQ"))


_lock = threading.Lock()  # eSpeak is one machine for the whole process, with one voice at a time


class _Espeak:
    """The library, set up to hand its samples to us; made once in a process."""

    def __init__(self, library: str, data: str) -> None:
        self.library = ctypes.CDLL(library)
        self.rate: int = self.library.espeak_Initialize(_SYNCHRONOUS, 0, data.encode(), _DONT_EXIT)
        if self.rate <= 0:
            raise NoVoices(f"eSpeak cannot read its data in {data}")
        self._blocks: list[np.ndarray] = []
        self._callback = _Callback(self._take)  # kept here, or it is freed while in use
        self.library.espeak_SetSynthCallback(self._callback)

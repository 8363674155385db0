"""Synthesised voices and noises for the demo; no person's voice is in them.

The speech comes from eSpeak NG, through the wheel `espeakng-loader` (a development extra, GPL-3).
"""

import ctypes
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import soxr

try:
    import espeakng_loader
except ImportError:  # an extra that only the demo needs
    espeakng_loader = None

RATE = 16_000

# From espeak-ng's speak_lib.h.
_SYNCHRONOUS, _DONT_EXIT = 2, 0x8000
_BY_CHARACTER, _UTF8 = 1, 1
_SPEED, _PITCH, _MELODY = 1, 3, 4
_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int16), ctypes.c_int, ctypes.c_void_p)


class NoVoices(RuntimeError):
    """Speech cannot be synthesised; the message says what is missing."""


@dataclass(frozen=True)
class DemoVoice:
    """A speaker of the demo.

    `variant`: one of eSpeak's, such as "f2" or "m3"; `speed`: words per minute; `pitch` and `melody` (the
    range of the pitch): from 0 to 99.
    """

    name: str
    language: str
    variant: str
    speed: int = 165
    pitch: int = 50
    melody: int = 50


# Only variants without eSpeak's "breath", whose hiss differs from process to process.
VOICES = (
    DemoVoice("Ada", "en-us", "f1", speed=160, pitch=55),
    DemoVoice("Ben", "en-us", "m3", speed=150, pitch=35, melody=60),
    DemoVoice("Cleo", "en-gb-x-rp", "f4", speed=175, pitch=60, melody=70),
    DemoVoice("Dougal", "en-gb-scotland", "m7", speed=155, pitch=40),
    DemoVoice("Esme", "en-029", "linda", speed=150, pitch=50, melody=80),
    DemoVoice("Frank", "en-us-nyc", "m1", speed=190, pitch=25, melody=30),
    DemoVoice("Greta", "en-gb-x-gbclan", "grandma", speed=130, pitch=45),
    DemoVoice("Hugo", "en-gb-x-gbcwmd", "m5", speed=170, pitch=60, melody=40),
    DemoVoice("Ines", "es", "f4", speed=160, pitch=45),
    DemoVoice("Javier", "es-419", "m3", speed=150, pitch=40),
)


def speak(text: str, voice: DemoVoice) -> np.ndarray:
    """The text spoken by the voice: int16 (n,) at 16 kHz.

    The same texts in the same order give the same samples in every new process. A text spoken twice differs
    slightly, because the voice's tremor continues. Raises NoVoices if eSpeak is not installed, and ValueError
    for a language that it does not have.
    """
    with _lock:
        espeak = _espeak()
        espeak.become(voice)
        spoken = espeak.say(text)
    return _int16(soxr.resample(spoken / 32_768, espeak.rate, RATE, quality="HQ"))


def noise(kind: str, seconds: float, seed: int) -> np.ndarray:
    """One of NOISES: int16 (n,) at 16 kHz. The same seed gives the same sound."""
    if kind not in NOISES:
        raise ValueError(f"unknown noise {kind!r}: use one of {', '.join(NOISES)}")
    random = np.random.default_rng(seed)
    at = np.arange(round(seconds * RATE)) / RATE
    sound = NOISES[kind](at, random)
    return _int16(0.4 * sound / np.abs(sound).max())


def _int16(sound: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(sound * 32_768), -32_768, 32_767).astype(np.int16)


class _Espeak:
    """The library, which passes its samples to a callback."""

    def __init__(self, library: str, data: str) -> None:
        self._library = ctypes.CDLL(library)
        self.rate: int = self._library.espeak_Initialize(_SYNCHRONOUS, 0, data.encode(), _DONT_EXIT)
        if self.rate <= 0:
            raise NoVoices(f"eSpeak cannot read its data in {data}")
        self._blocks: list[np.ndarray] = []
        self._callback = _CALLBACK(self._take)  # a reference: the library does not keep it alive
        self._library.espeak_SetSynthCallback(self._callback)

    def become(self, voice: DemoVoice) -> None:
        """Switch to this voice. Raises ValueError if its language does not exist."""
        if self._library.espeak_SetVoiceByName(f"{voice.language}+{voice.variant}".encode()):
            raise ValueError(f"eSpeak has no language {voice.language!r} (voice {voice.name})")
        self._library.espeak_SetParameter(_SPEED, voice.speed, 0)
        self._library.espeak_SetParameter(_PITCH, voice.pitch, 0)
        self._library.espeak_SetParameter(_MELODY, voice.melody, 0)

    def say(self, text: str) -> np.ndarray:
        """The text spoken: int16 (n,) at `self.rate`."""
        self._blocks.clear()
        encoded = text.encode()
        failed = self._library.espeak_Synth(
            encoded, ctypes.c_size_t(len(encoded) + 1), 0, _BY_CHARACTER, 0, _UTF8, None, None
        )
        if failed or not self._blocks:
            raise RuntimeError(f"eSpeak said nothing for {text!r} (error {failed})")
        return np.concatenate(self._blocks)

    def _take(self, samples: Any, count: int, _events: Any) -> int:
        if count > 0:
            self._blocks.append(np.ctypeslib.as_array(samples, (count,)).copy())
        return 0  # continue


_lock = threading.Lock()  # eSpeak has one state per process, with one voice at a time


@cache
def _espeak() -> _Espeak:
    if espeakng_loader is None:
        raise NoVoices("the demo's voices need the package `espeakng-loader`, which is not installed")
    return _Espeak(espeakng_loader.get_library_path(), espeakng_loader.get_data_path())


def _pink(at: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Noise that falls by 3 dB per octave, like that of rooms and rain."""
    spectrum = np.fft.rfft(random.standard_normal(len(at)))
    return np.fft.irfft(spectrum / np.sqrt(np.maximum(np.arange(len(spectrum)), 8)), len(at))


def _hum(at: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Mains hum at 50 Hz with overtones, over a faint hiss."""
    overtones = sum(np.sin(2 * np.pi * 50 * n * at + random.uniform(0, 6)) / n for n in range(1, 8))
    return overtones + 0.02 * random.standard_normal(len(at))


def _clicks(at: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """About three clicks per second."""
    starts = random.uniform(0, at[-1], max(2, round(3 * at[-1])))
    return _struck(at, starts, random.standard_normal(len(at)), decay=0.004)


def _knock(at: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Three knocks on wood."""
    wood = np.sin(2 * np.pi * random.uniform(150, 220) * at) + 0.3 * random.standard_normal(len(at))
    starts = at[-1] * (0.15 + np.array([0, 0.22, 0.45]) + random.uniform(-0.02, 0.02, 3))
    return _struck(at, starts, wood, decay=0.03)


def _chord(at: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """A major chord that fades, as from a doorbell."""
    root = random.uniform(300, 600)
    notes = sum(np.sin(2 * np.pi * root * ratio * at) for ratio in (1, 5 / 4, 3 / 2))
    return notes * np.exp(-2 * at / at[-1])


def _struck(at: np.ndarray, starts: np.ndarray, body: np.ndarray, decay: float) -> np.ndarray:
    """`body`, decaying from each start on with a time constant of `decay` seconds, over a faint hiss."""
    since = at[:, np.newaxis] - starts
    loudness = np.where(since >= 0, np.exp(-np.maximum(since, 0) / decay), 0).max(axis=1)
    return body * (loudness + 0.005)


NOISES: dict[str, Callable[[np.ndarray, np.random.Generator], np.ndarray]] = {
    "pink": _pink,
    "hum": _hum,
    "clicks": _clicks,
    "knock": _knock,
    "chord": _chord,
}

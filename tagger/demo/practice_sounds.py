"""Makes the sounds of the practice: `python -m tagger.demo.practice_sounds static/sounds`.

They are stored in the tree, so that no site needs eSpeak for them.
"""

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from datasets.clips import audio

from .voices import RATE, VOICES, DemoVoice, noise, speak

_BY_NAME = {voice.name: voice for voice in VOICES}
ADA, BEN = _BY_NAME["Ada"], _BY_NAME["Ben"]
# Slightly faster than in the demo, so that the files stay small.
CLEO, INES, JAVIER = (replace(_BY_NAME[name], speed=190) for name in ("Cleo", "Ines", "Javier"))
# The demo has no voices for these languages.
KLARA, LUDWIG, MARION, NOEL = (
    DemoVoice("Klara", "de", "f4", speed=180),
    DemoVoice("Ludwig", "de", "m3", speed=180, pitch=40),
    DemoVoice("Marion", "fr", "f4", speed=180),
    DemoVoice("Noël", "fr", "m3", speed=180, pitch=40),
)

PAUSE = 0.1  # seconds before and after the speech
PEAK = 0.5  # of full scale
HIDDEN_LEVEL = 0.02  # the peak of a word under the noise that hides it, relative to that noise


def make(folder: Path) -> None:
    """Write all sounds, as WAV files."""
    for name, sound in SOUNDS.items():
        (folder / name).write_bytes(audio.wav(sound()))


def _sentence(text: str, voice: DemoVoice) -> np.ndarray:
    """The text spoken: int16 (n,) at RATE."""
    return _finished(_spoken(text, voice))


def _with_hidden_word(before: str, hidden: str, after: str, voice: DemoVoice, seed: int) -> np.ndarray:
    """A sentence in which noise hides one word: int16 (n,) at RATE."""
    word = _spoken(hidden, voice)
    pink = noise("pink", len(word) / RATE, seed) / 32_768
    covered = pink / np.abs(pink).max() + HIDDEN_LEVEL * word
    return _finished(np.concatenate([_spoken(before, voice), covered, _spoken(after, voice)]))


def _spoken(text: str, voice: DemoVoice) -> np.ndarray:
    """The text spoken: float (n,) at RATE, with a peak of 1."""
    speech = speak(text, voice).astype(float)
    return speech / np.abs(speech).max()


def _finished(sound: np.ndarray) -> np.ndarray:
    """The sound with pauses around it, at PEAK: int16."""
    padded = np.pad(sound, round(PAUSE * RATE))
    return np.rint(32_767 * PEAK * padded / np.abs(padded).max()).astype(np.int16)


# Made in this order: a voice's tremor continues from sound to sound.
SOUNDS: dict[str, Callable[[], np.ndarray]] = {
    "wake-word.wav": lambda: _sentence("hey juniper", ADA),
    "similar.wav": lambda: _sentence("hey jennifer", BEN),
    "noise.wav": lambda: noise("knock", 1.5, seed=7),
    "sentence-en.wav": lambda: _sentence("please turn on the light", ADA),
    "unclear-en.wav": lambda: _with_hidden_word("put the", "cup", "on the table", CLEO, seed=8),
    "sentence-es.wav": lambda: _sentence("enciende la luz por favor", INES),
    "unclear-es.wav": lambda: _with_hidden_word("pon la", "taza", "en la mesa", JAVIER, seed=9),
    "sentence-de.wav": lambda: _sentence("mach bitte das Licht an", KLARA),
    "unclear-de.wav": lambda: _with_hidden_word("stell die", "Tasse", "auf den Tisch", LUDWIG, seed=10),
    "sentence-fr.wav": lambda: _sentence("allume la lumière de la cuisine", MARION),
    "unclear-fr.wav": lambda: _with_hidden_word("pose la", "tasse", "sur la table", NOEL, seed=11),
}


if __name__ == "__main__":
    make(Path(sys.argv[1]))

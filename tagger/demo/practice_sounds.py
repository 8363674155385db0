"""The sounds of the practice, made on this machine: `python -m tagger.demo.practice_sounds static/sounds`.

They lie in the tree, so that no site needs eSpeak for them.
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
# A little faster than in the demo, so that the file of a sentence stays small.
CLEO, INES, JAVIER = (replace(_BY_NAME[name], speed=190) for name in ("Cleo", "Ines", "Javier"))

PAUSE = 0.1  # seconds before and after what is said
LOUDEST = 0.5  # of full scale
HIDDEN = 0.02  # how loud a word is under the noise that hides it, beside that noise


def make(folder: Path) -> None:
    for name, sound in SOUNDS.items():
        (folder / name).write_bytes(audio.wav(sound()))


def _said(text: str, voice: DemoVoice) -> np.ndarray:
    """int16 (n,) at RATE."""
    return _finished(_spoken(text, voice))


def _hiding(before: str, hidden: str, after: str, voice: DemoVoice, seed: int) -> np.ndarray:
    """A sentence in which noise makes one word unheard: int16 (n,) at RATE."""
    word = _spoken(hidden, voice)
    rush = noise("pink", len(word) / RATE, seed) / 32_768
    drowned = rush / np.abs(rush).max() + HIDDEN * word
    return _finished(np.concatenate([_spoken(before, voice), drowned, _spoken(after, voice)]))


def _spoken(text: str, voice: DemoVoice) -> np.ndarray:
    """float (n,) at RATE, at most 1."""
    said = speak(text, voice).astype(float)
    return said / np.abs(said).max()


def _finished(sound: np.ndarray) -> np.ndarray:
    padded = np.pad(sound, round(PAUSE * RATE))
    return np.rint(32_767 * LOUDEST * padded / np.abs(padded).max()).astype(np.int16)


# In this order: a voice's tremor goes on from where it was.
SOUNDS: dict[str, Callable[[], np.ndarray]] = {
    "wake-word.wav": lambda: _said("hey juniper", ADA),
    "similar.wav": lambda: _said("hey jennifer", BEN),
    "noise.wav": lambda: noise("knock", 1.5, seed=7),
    "sentence-en.wav": lambda: _said("please turn on the light", ADA),
    "unclear-en.wav": lambda: _hiding("put the", "cup", "on the table", CLEO, seed=8),
    "sentence-es.wav": lambda: _said("enciende la luz por favor", INES),
    "unclear-es.wav": lambda: _hiding("pon la", "taza", "en la mesa", JAVIER, seed=9),
}


if __name__ == "__main__":
    make(Path(sys.argv[1]))

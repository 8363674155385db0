"""Writes any number of WAV files: 16 kHz, mono, 16 bit, 1 to 3 s, all different."""

from pathlib import Path

import numpy as np

from tests.support import sounds


def write(folder: Path, number: int) -> int:
    """The total size in bytes. Each sound is a buzz in syllables over hiss: detectors take it for speech."""
    folder.mkdir()
    random = np.random.default_rng(1)
    return sum(
        (folder / f"{n:06}.wav").write_bytes(sounds.in_format("wav", _sound(random))) for n in range(number)
    )


def _sound(random: np.random.Generator) -> np.ndarray:
    at = np.arange(random.integers(sounds.RATE, 3 * sounds.RATE)) / sounds.RATE
    buzz = np.sin(2 * np.pi * random.uniform(90, 220) * at) * np.clip(np.sin(2 * np.pi * 4 * at), 0, 1)
    return np.rint(9_000 * buzz + 300 * random.standard_normal(len(at))).astype(np.int16)

"""Disguises a voice: moves its formants by the McAdams coefficient. It may still be recognised.

Method: J. Patino, N. Tomashenko, M. Todisco, A. Nautsch, N. Evans, Speaker anonymisation using the McAdams
coefficient (Interspeech 2021), doi:10.21437/Interspeech.2021-1070. Each frame is split by linear prediction
into a source and a filter; the angle of each of the filter's complex poles is raised to the coefficient, and
the source goes through the moved filter.
"""

import numpy as np

ORDER = 20  # of the linear prediction, for 16 kHz
FRAME, HOP = 320, 160  # samples: 20 ms, half overlapping
TRANSFORM = 1_024  # samples of the transform in which frames are filtered; their tails fade well before

# Coefficients are drawn from this range: closer to 1 nothing changes, below it words are lost.
WEAKEST, STRONGEST = 0.9, 0.6


def disguise(samples: np.ndarray, coefficient: float) -> np.ndarray:
    """int16 (n,) at 16 kHz to int16 (n,), at the same loudness.

    >>> disguise(np.zeros(800, np.int16), 0.8).tolist() == [0] * 800
    True
    """
    if len(samples) < FRAME or not samples.any():
        return samples
    sound = samples / 32_768
    frames = _frames(sound)
    filters = _prediction(frames)
    sources = np.fft.rfft(frames, TRANSFORM) * np.fft.rfft(filters, TRANSFORM)
    moved = np.fft.irfft(sources / np.fft.rfft(_moved(filters, coefficient), TRANSFORM), TRANSFORM)
    disguised = _overlapped(moved[:, : 2 * FRAME], len(sound))
    loudness = np.sqrt(np.mean(sound**2) / max(np.mean(disguised**2), 1e-12))
    return np.clip(np.rint(disguised * loudness * 32_767), -32_768, 32_767).astype(np.int16)


def coefficient(key: bytes) -> float:
    """A clip's coefficient, derived from its key of 32 random bytes, so that it differs between clips.

    It is the same each time the clip is heard: otherwise the disguise could be averaged away.
    """
    drawn = int.from_bytes(key[:4]) / 2**32
    return STRONGEST + drawn * (WEAKEST - STRONGEST)


def _frames(sound: np.ndarray) -> np.ndarray:
    """(n,) to windowed frames (frames, FRAME). Overlapping windows add up to one."""
    padded = np.pad(sound, (HOP, FRAME))
    windows = np.lib.stride_tricks.sliding_window_view(padded, FRAME)[::HOP]
    return windows * np.hanning(FRAME + 1)[:FRAME]


def _prediction(frames: np.ndarray) -> np.ndarray:
    """Prediction error filters (frames, ORDER + 1), by autocorrelation. White noise keeps them solvable."""
    spectra = np.abs(np.fft.rfft(frames, 2 * FRAME)) ** 2
    correlations = np.fft.irfft(spectra)[:, : ORDER + 1]
    correlations[:, 0] = correlations[:, 0] * (1 + 1e-6) + 1e-9
    lags = np.abs(np.subtract.outer(np.arange(ORDER), np.arange(ORDER)))
    solved = np.linalg.solve(correlations[:, lags], -correlations[:, 1:, np.newaxis])[..., 0]
    return np.concatenate([np.ones((len(frames), 1)), solved], axis=1)


def _moved(filters: np.ndarray, coefficient: float) -> np.ndarray:
    """The filters with the angle of every complex pole raised to the coefficient; real poles stay."""
    companions = np.zeros((len(filters), ORDER, ORDER))
    companions[:, 0] = -filters[:, 1:]
    companions[:, np.arange(1, ORDER), np.arange(ORDER - 1)] = 1
    poles = np.linalg.eigvals(companions)
    angles = np.angle(poles)
    turned = np.where(np.abs(poles.imag) > 1e-9, np.sign(angles) * np.abs(angles) ** coefficient, angles)
    # A pole moved beyond half the sample rate would alias to another frequency.
    turned = np.clip(turned, -np.pi, np.pi)
    poles = np.minimum(np.abs(poles), 0.998) * np.exp(1j * turned)
    moved = np.ones((len(filters), 1), complex)
    for n in range(ORDER):
        shifted = np.pad(moved, ((0, 0), (1, 0))) * -poles[:, n : n + 1]
        moved = np.pad(moved, ((0, 0), (0, 1))) + shifted
    return moved.real


def _overlapped(frames: np.ndarray, length: int) -> np.ndarray:
    """Frames (frames, m) HOP apart, added up to (length,)."""
    out = np.zeros(HOP * len(frames) + frames.shape[1])
    for n, frame in enumerate(frames):
        out[n * HOP : n * HOP + len(frame)] += frame
    return out[HOP : HOP + length]

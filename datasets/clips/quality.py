"""How well a clip was recorded: how far speech is above the noise, and how much of it is clipped. Pure.

Both are rounded so far that they fit many clips, as nobody shall be found again by them.
"""

import numpy as np

FRAME = 512  # samples, 32 ms: the frames in which speech is looked for
# Full scale, less the 1 % by which resampling rounds off a flattened peak.
FULL_SCALE = 32_440

_LEAST_FRAMES = 3  # of speech, and of the rest: a tenth of a second
_QUIETEST, _CLEAREST = -20, 90  # dB; 90 is what 16 bits can hold
_ROUNDING = 1 / 12  # the power of what rounding to whole samples adds
_SHORTEST_RUN = 3  # samples: a peak that is not clipped touches full scale in one or two
_STEPS = 1_000  # in which a share is rounded


def snr(samples: np.ndarray, has_speech: np.ndarray) -> int | None:
    """The ratio of speech to noise in dB, of int16 (n,); None if there is too little of either to tell.

    `has_speech`: bool, for each frame of FRAME samples. Noise is what the quietest quarter of the other
    frames has, because a breath, a click or the end of a word is among these too; speech is what frames with
    speech have on top of it, on average.

    >>> random = np.random.default_rng(1)
    >>> noise, speech = random.normal(0, 100, 40 * FRAME), random.normal(0, 1_000, 40 * FRAME)
    >>> has_speech = np.arange(40) % 8 < 5
    >>> snr((noise + speech * np.repeat(has_speech, FRAME)).astype(np.int16), has_speech)
    20
    """
    whole = min(len(samples) // FRAME, len(has_speech))
    spoken = has_speech[:whole]
    if min(np.count_nonzero(spoken), np.count_nonzero(~spoken)) < _LEAST_FRAMES:
        return None
    sound = samples[: whole * FRAME].astype(np.float64)
    power = np.square(sound - sound.mean()).reshape(whole, FRAME).mean(axis=1)
    noise = max(float(np.quantile(power[~spoken], 0.25)), _ROUNDING)
    speech = float(power[spoken].mean()) - noise
    ratio = 10 * np.log10(max(speech / noise, 10 ** (_QUIETEST / 10)))
    return min(round(ratio), _CLEAREST)


def clipping(samples: np.ndarray) -> float:
    """The share, 0 to 1, of int16 (n,) that lies at full scale three or more samples in a row.

    >>> clipping(np.array([0, 32_767, 32_767, 32_767, 0, 32_767, 0, -32_768, -32_768, 0], np.int16))
    0.3
    """
    sign = np.sign(samples) * (np.abs(samples.astype(np.int32)) >= FULL_SCALE)
    changes = np.flatnonzero(np.diff(sign)) + 1
    starts = np.concatenate([[0], changes])
    lengths = np.diff(np.concatenate([starts, [len(sign)]]))
    at_full_scale = (sign[starts] != 0) & (lengths >= _SHORTEST_RUN) if len(sign) else np.zeros(1, bool)
    return round(_STEPS * int(lengths[at_full_scale].sum()) / max(len(sign), 1)) / _STEPS

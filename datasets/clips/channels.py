"""How the channels of a recording become one, without silencing what is in them.

Usually by their mean. That silences what two channels hold with opposite phase (a microphone wired the wrong
way round, a "stereo widener"), and halves what only one of them holds. So the channels are compared in cells,
a tenth of a second of one of four bands of speech, whose edges leave out offset, hum and hiss:

- a channel without a cell louder than -30 dB of the loudest channel is silent, and left out;
- the mean loses a cell if less than half of what unrelated channels would leave of their energy is left;
- a channel loses a cell if it has less than an eighth of the energy of the loudest channel there;
- whatever loses the smallest share of the cells with sound in them is taken; the mean if nothing loses fewer,
  else the channel with the most energy.

One choice for a whole file: changing in the middle would be heard.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]

_CELLS_PER_SECOND = 10
_EDGES = (150, 500, 1_000, 2_000, 4_000)  # Hz
_SILENT = 1e-3  # of the energy, -30 dB
_MEAN_LOSES, _CHANNEL_LOSES = 1 / 2, 1 / 8


class Comparison:
    """Compares channels while they are decoded."""

    def __init__(self, rate: int, channels: int) -> None:
        self._size = max(rate // _CELLS_PER_SECOND, 2)
        self._edges = [round(hertz * self._size / rate) for hertz in _EDGES]
        self._channels = channels
        self._rest = np.zeros((0, channels), np.float32)
        self._cells: list[Floats] = []

    def add(self, block: Floats) -> None:
        """Float (frames, channels)."""
        both = np.concatenate([self._rest, block])
        whole = len(both) // self._size * self._size
        self._rest = both[whole:]
        self._measure(both[:whole])

    def weights(self) -> Floats | None:
        """What to multiply each channel by, (channels,); None for the plain mean of all."""
        missing = self._size - len(self._rest)
        self._measure(np.pad(self._rest, ((0, missing), (0, 0))))
        energy = np.concatenate(self._cells, axis=1)  # (channels + their sum, cells, bands)
        return _chosen(energy[:-1], energy[-1])

    def _measure(self, block: Floats) -> None:
        parts = block.reshape(-1, self._size, self._channels)
        spectrum = np.fft.rfft(parts, axis=1)
        spectrum = np.concatenate([spectrum, spectrum.sum(axis=2, keepdims=True)], axis=2)
        power = np.abs(spectrum) ** 2
        bands = [
            power[:, low:high].sum(axis=1) for low, high in zip(self._edges, self._edges[1:], strict=False)
        ]
        self._cells.append(np.stack(bands, axis=2).transpose(1, 0, 2))


def _chosen(energy: Floats, summed: Floats) -> Floats | None:
    """``energy`` (channels, cells, bands) of each channel, ``summed`` (cells, bands) of their sum."""
    loudest = energy.max(axis=0)
    has_sound = energy.max(axis=(1, 2)) > _SILENT * energy.max()
    counted = loudest > _SILENT * loudest.max(axis=0)
    if not counted.any():
        return None
    by_mean = _share(summed < _MEAN_LOSES * energy.sum(axis=0), counted)
    by_channel = [_share(each < _CHANNEL_LOSES * loudest, counted) for each in energy]
    fewest = min(by_channel)
    if by_mean <= fewest and has_sound.sum() > 1:
        return None if has_sound.all() else (has_sound / has_sound.sum()).astype(np.float32)
    total = np.where([share == fewest for share in by_channel], energy.sum(axis=(1, 2)), -1)
    return np.eye(len(energy), dtype=np.float32)[int(total.argmax())]


def _share(lost: NDArray[np.bool_], counted: NDArray[np.bool_]) -> float:
    return float(lost[counted].mean())

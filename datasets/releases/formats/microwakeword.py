"""microWakeWord: a folder of clips for each kind of sound and each of its training modes.

Its class `Clips` reads all of one folder, and its trainer the modes training, validation and testing; it
weighs each kind of sound by itself: https://github.com/kahrendt/microWakeWord
"""

from collections.abc import Iterable, Sequence

from . import wake_words
from .form import Document
from .parts import Clips, Part
from .rows import Row
from .subsets import Subset
from .summary import Summary

NAME = "microwakeword"
BY_SPEAKER, PER_SPEAKER, SHARD_BYTES = False, False, 0

LAYOUT = """\
- `positive/training/`, `positive/validation/`, `positive/testing/`: clips that were answered `yes`, WAV, 16
  kHz, mono, 16 bit.
- `hard_negative/`: the same for `similar`, the near misses.
- `negative/`: the same for `no`, which is other speech, and `noise/` for `noise`.

Make the features of each folder with `Clips(input_directory=..., file_pattern="*.wav")`, without
`random_split_seed`: speakers are divided already. In `training_parameters.yaml`, `truth` is true for
`positive` alone; a higher `penalty_weight` suits `hard_negative`. A folder that would be empty is absent.
With several wake words or languages each has a folder with all of these."""

_KINDS = {"yes": "positive", "similar": "hard_negative", "no": "negative", "noise": "noise"}
_MODES = {"train": "training", "dev": "validation", "test": "testing"}


def why_left_out(row: Row) -> str | None:
    """Why a row cannot be in this format, or None."""
    return wake_words.why_left_out(row)


def parts(subsets: Sequence[Subset]) -> Sequence[Part]:
    return [Clips(_path)]


def documents(subsets: Sequence[Subset], summary: Summary) -> Iterable[Document]:
    return ()


def _path(row: Row) -> str:
    return f"{row.folder}{_KINDS[row.label or 'no']}/{_MODES[row.split]}/{row.id}.wav"

"""openWakeWord: the folders that its `train.py` looks for below MODEL, and nothing else in them.

It counts every file of these folders and reads each WAV: https://github.com/dscripka/openWakeWord
"""

from collections.abc import Iterable, Sequence

from . import transcripts, wake_words
from .form import Document
from .parts import Clips, Part
from .rows import Row
from .subsets import Subset
from .summary import Summary

NAME = "openwakeword"
BY_SPEAKER, PER_SPEAKER, SHARD_BYTES = False, False, 0

LAYOUT = """\
- `MODEL/positive_train/`, `MODEL/positive_test/`: clips with the wake word, WAV, 16 kHz, mono, 16 bit.
- `MODEL/negative_train/`, `MODEL/negative_test/`: clips without it.

`MODEL` is the wake word, such as `hey_mycroft`. In the settings of `train.py`, `model_name` is this name
and `output_dir` the folder that has it; leave out `--generate_clips`. The answer `yes` is positive.
`similar`, `no` and `noise` are negative: the near misses among them are hard negatives, and
`soft-labels.jsonl` names them. openWakeWord knows no dev split: those clips are with the ones for training.
It chooses the best steps by the clips of the test split, so measure the model with other clips.
livekit-wakeword reads the same folders if the clips are renamed `clip_000000.wav` and so on. With several
wake words or languages each has a folder."""


def why_left_out(row: Row) -> str | None:
    """Why a row cannot be in this format, or None."""
    return wake_words.why_left_out(row)


def parts(subsets: Sequence[Subset]) -> Sequence[Part]:
    return [Clips(_path)]


def documents(subsets: Sequence[Subset], summary: Summary) -> Iterable[Document]:
    return ()


def _path(row: Row) -> str:
    model = wake_words.model_name(transcripts.wake_word(row))
    answer = "positive" if row.label == "yes" else "negative"
    return f"{row.folder}{model}/{answer}_{'test' if row.split == 'test' else 'train'}/{row.id}.wav"

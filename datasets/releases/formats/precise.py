"""Mycroft Precise: folders of WAV clips with the wake word and without.

The folders are from https://github.com/MycroftAI/mycroft-precise/wiki/Training-your-own-wake-word
"""

from collections.abc import Iterable, Sequence

from .form import Document
from .parts import Clips, Part
from .rows import WAKE_WORD, Row
from .subsets import Subset
from .summary import Summary

NAME = "precise"
BY_SPEAKER, PER_SPEAKER, SHARD_BYTES = False, False, 0

LAYOUT = """\
- `wake-word/`, `not-wake-word/`: clips for training, WAV, 16 kHz, mono, 16 bit.
- `test/wake-word/`, `test/not-wake-word/`: clips to test with, by other speakers.

The answer `yes` is the wake word; `similar`, `no` and `noise` are not. Precise knows no dev split: those
clips are with the ones for training, and `soft-labels.jsonl` names them. A folder that would be
empty is absent. A model detects one wake word, so with several wake words or languages each has a folder."""


def why_left_out(row: Row) -> str | None:
    """Why a row cannot be in this format, or None."""
    return None if row.kind == WAKE_WORD else "a transcription: no wake word was asked for"


def parts(subsets: Sequence[Subset]) -> Sequence[Part]:
    return [Clips(_path)]


def documents(subsets: Sequence[Subset], summary: Summary) -> Iterable[Document]:
    return ()


def _path(row: Row) -> str:
    test = "test/" if row.split == "test" else ""
    return f"{row.folder}{test}{'wake-word' if row.label == 'yes' else 'not-wake-word'}/{row.id}.wav"

"""Mycroft Precise: folders of WAV clips with the wake word and without.

The folders are from https://github.com/MycroftAI/mycroft-precise/wiki/Training-your-own-wake-word
"""

from collections.abc import Iterable, Iterator

from datasets import normalise

from .rows import WAKE_WORD, Audio, Entry, FormatRefusal, NotRepresentable, Row, Rows, clip

NAME = "precise"

LAYOUT = """\
- `wake-word/`, `not-wake-word/`: clips for training, WAV, 16 kHz, mono, 16 bit.
- `test/wake-word/`, `test/not-wake-word/`: clips to test with, by other speakers.

The answer `yes` is the wake word; `similar`, `no` and `noise` are not. Precise knows no dev split: those
clips are with the ones for training, and `soft-labels.jsonl` names them. A folder that would be
empty is absent."""


def why_left_out(row: Row) -> str | None:
    """Why a row cannot be in this format, or None."""
    return None if row.kind == WAKE_WORD else "a transcription: no wake word was asked for"


def entries(rows: Rows, audio: Audio) -> Iterator[Entry]:
    """The clips, in the order of the rows.

    Raises NotRepresentable if they hold several wake words, because a model detects one. It does so when it
    is called, before the first entry is read.
    """
    _check_one_wake_word(rows())
    return _clips(rows, audio)


def _clips(rows: Rows, audio: Audio) -> Iterator[Entry]:
    for row in rows():
        if why_left_out(row) is None:
            yield clip(_path(row), row, audio)


def _check_one_wake_word(rows: Iterable[Row]) -> None:
    kept = {(row.wake_word, row.language) for row in rows if why_left_out(row) is None}
    typed, languages = ({each[part] for each in kept} for part in (0, 1))
    # A clip in another language than the wake word's has the same word all the same.
    spellings = [{normalise.text(word, language) for word in typed} for language in sorted(languages)]
    found = min(spellings, key=len, default=set())
    if len(found) > 1:
        raise NotRepresentable(FormatRefusal.SEVERAL_WAKE_WORDS, format=NAME, found=", ".join(sorted(found)))


def _path(row: Row) -> str:
    test = "test/" if row.split == "test" else ""
    return f"{test}{'wake-word' if row.label == 'yes' else 'not-wake-word'}/{row.id}.wav"

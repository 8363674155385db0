"""What is said in a clip, for formats that train on transcripts."""

from functools import lru_cache

from datasets import normalise

from .rows import WAKE_WORD, Row


def spoken(row: Row) -> str:
    """The transcript: of a clip that was answered yes the wake word, of one answered otherwise nothing."""
    if row.kind != WAKE_WORD:
        return row.text
    return wake_word(row) if row.label == "yes" else ""


def wake_word(row: Row) -> str:
    """The wake word that was asked about, in normal form; empty for a transcription."""
    return _in_normal_form(row.wake_word, row.language)


def why_unusable(row: Row) -> str | None:
    """Why there is no whole transcript to train on, worded to follow a count, or None."""
    if row.kind == WAKE_WORD and row.label != "yes":
        return "no transcript: a wake-word clip not answered yes"
    return why_partial(spoken(row))


def why_partial(text: str) -> str | None:
    """Why these words are not all that is said, or None."""
    if not text:
        return "nothing said"
    if normalise.UNCLEAR in text:
        return "partly unclear"
    if normalise.PRIVATE in text:
        return "partly silenced"
    return None


def has_numeral(text: str) -> bool:
    """Whether a number is written in digits, of any script.

    >>> has_numeral("channel 4"), has_numeral("channel four")
    (True, False)
    """
    return any(map(str.isdecimal, text))


@lru_cache(maxsize=64)
def _in_normal_form(wake_word: str, language: str) -> str:
    return normalise.text(wake_word, language)

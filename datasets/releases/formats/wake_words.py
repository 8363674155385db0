"""What the formats for wake-word models have in common."""

import re

from .rows import WAKE_WORD, Row

_NOT_IN_A_NAME = re.compile(r"[^a-z0-9]+")


def why_left_out(row: Row) -> str | None:
    """Why a row cannot train a wake-word model, worded to follow a count, or None."""
    return None if row.kind == WAKE_WORD else "a transcription: no wake word was asked for"


def model_name(wake_word: str) -> str:
    """What a model for this wake word is called in folders and settings.

    >>> model_name("hey mycroft"), model_name("嘿")
    ('hey_mycroft', 'wake_word')
    """
    return _NOT_IN_A_NAME.sub("_", wake_word).strip("_") or "wake_word"

"""Blanks in place of words that may not be handed out any more, of the same size, so that files keep theirs.

An archive lists what the last recall feed left in it. If its sizes changed with a withdrawal, anyone who asks
for them every second would see when someone left.
"""

from collections.abc import Mapping
from typing import Any

from datasets.normalise import PRIVATE, UNCLEAR

from .formats.rows import as_json

_BY_BYTES = {
    1: " ",
    2: "\u00a0",
    3: "\u2003",
    4: "\U000e0020",
}  # characters without a mark, by their UTF-8 size

_ZERO_BY_BYTES = {1: "0", 2: "\u0660", 3: "\u0966", 4: "\U0001e950"}  # Latin, Arabic, Devanagari, Adlam


def text(words: str) -> str:
    """As many characters and bytes, in an order that does not say where words began.

    Whether a part was unclear or silenced and whether there was a digit stays visible, because formats leave
    such transcripts out.

    >>> text("to día")
    '     \\xa0'
    >>> text("go [unclear]")
    '[unclear]   '
    >>> text("at 7")
    '0   '
    """
    kept, rest = "", words
    for marker in (UNCLEAR, PRIVATE):
        if marker in rest:
            kept, rest = kept + marker, rest.replace(marker, "", 1)
    if digit := next(filter(str.isdecimal, rest), ""):
        kept, rest = kept + _ZERO_BY_BYTES[len(digit.encode())], rest.replace(digit, "", 1)
    return kept + "".join(sorted(_BY_BYTES[len(character.encode())] for character in rest))


def evidence(soft: Mapping[str, Any]) -> dict[str, Any]:
    """Evidence that says nothing and takes as many bytes as JSON.

    >>> evidence({"words": [{"word": "left"}]})
    {'blank': '                '}
    """
    unfilled = len(as_json({"blank": ""}))
    return {"blank": " " * max(len(as_json(soft).encode()) - unfilled, 0)}

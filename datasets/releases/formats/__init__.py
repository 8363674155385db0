"""One writer per training format. What is alike in all of them is in `package`.

A format is a module with

    NAME      as in the address of its archive
    LAYOUT    what is where, for the dataset card
    refusal   why a row cannot be in this format, or None
    entries   its own files, given rows and their audio
"""

from . import deepspeech, precise
from .rows import Format

FORMATS: dict[str, Format] = {form.NAME: form for form in (deepspeech, precise)}


class UnknownFormat(ValueError):
    """There is no writer of that name; the message lists those that there are."""


def find(name: str) -> Format:
    """The format of that name.

    >>> find("deepspeech").NAME
    'deepspeech'
    """
    if name not in FORMATS:
        raise UnknownFormat(f"no format {name!r}; there are {', '.join(sorted(FORMATS))}")
    return FORMATS[name]

"""One writer per training format. What is alike in all of them is in `package`.

A format is a module with

    NAME           as in the address of its archive
    LAYOUT         what is where, for the dataset card
    why_left_out   why a row cannot be in this format, or None
    entries        its own files, given rows and their audio
"""

from . import deepspeech, precise
from .rows import Format, FormatRefusal, UnknownFormat

FORMATS: dict[str, Format] = {form.NAME: form for form in (deepspeech, precise)}


def find(name: str) -> Format:
    """The format of that name. Raises UnknownFormat.

    >>> find("deepspeech").NAME
    'deepspeech'
    """
    if name not in FORMATS:
        raise UnknownFormat(FormatRefusal.UNKNOWN, name=name, known=", ".join(sorted(FORMATS)))
    return FORMATS[name]

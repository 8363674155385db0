"""One writer per training format. The files that all formats share are in `package`.

A format is a module with

    NAME           the name in the address of its archive
    LAYOUT         its files and folders, for the dataset card
    why_left_out   the reason why a row cannot be in this format, or None
    entries        the format's own files, from rows and their audio
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

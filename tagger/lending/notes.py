"""Short notes that volunteers add to a report or to a flag, screened for ways to contact somebody.

The desk applies the same patterns before it sends a note, so they are written as both Python and JavaScript
read them: with the flag for ignoring case, on text in NFKC.
"""

import re
import unicodedata

from .refusals import AnswerRefusal, AnswerRefused

LONGEST = 140

# A handle such as @name is an address too. Digits of any script that our languages use; seven make a number.
_DIGIT = "[0-9٠-٩۰-۹]"
_ENDINGS = "com|org|net|info|io|me|app|dev|eu|de|at|ch|es|fr|uk|us|nl|pl|ru|br|mx|in|cn|jp"
PATTERNS: dict[AnswerRefusal, str] = {
    AnswerRefusal.NOTE_HAS_EMAIL: r"\S@\S|(^|\s)@\S",
    AnswerRefusal.NOTE_HAS_LINK: rf"[a-z][a-z0-9+.-]*://|www\.|[a-z0-9]\.({_ENDINGS})($|[^a-z0-9])",
    AnswerRefusal.NOTE_HAS_NUMBER: rf"{_DIGIT}([\s().\/+-]*{_DIGIT}){{6}}",
}


def checked(note: str) -> str:
    """The note as it is stored: in one line. Raises AnswerRefused.

    >>> checked("  a radio \\n in the background ")
    'a radio in the background'
    """
    note = " ".join(note.replace("\0", " ").split())
    if len(note) > LONGEST:
        raise AnswerRefused(AnswerRefusal.NOTE_TOO_LONG, found=len(note), most=LONGEST)
    for refusal in PATTERNS:
        if has_contact(refusal, note):
            raise AnswerRefused(refusal)
    return note


def has_contact(kind: AnswerRefusal, text: str) -> bool:
    """Whether the text holds what this refusal is about.

    >>> has_contact(AnswerRefusal.NOTE_HAS_LINK, "see example.org")
    True
    """
    return bool(re.search(PATTERNS[kind], unicodedata.normalize("NFKC", text), re.IGNORECASE))

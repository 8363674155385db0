"""Why an answer was refused, in the reader's words. Refusals are raised in English, as programs get them."""

from contextlib import AbstractContextManager

from django.utils import translation
from django.utils.translation import gettext, gettext_noop

from tagger.lending.assignments import Refused

# All that somebody can meet on a page.
KNOWN = (
    gettext_noop("This clip was answered already."),
    gettext_noop("This clip was skipped already."),
    gettext_noop("This clip was reported already."),
    gettext_noop("This clip was expired already."),
    gettext_noop("This clip was lent for too long and has enough answers without this one."),
    gettext_noop("This clip is no longer there: it was withdrawn or reported."),
    gettext_noop("You answered this clip otherwise already."),
    gettext_noop("This clip is shown with its answer by now."),
    gettext_noop("transcript holds a zero character."),
)


def in_english() -> AbstractContextManager[None]:
    """For the call that may refuse, as some refusals name a state."""
    return translation.override("en")


def translated(refused: Refused) -> str:
    """What nobody translated stays as it was raised."""
    return gettext(str(refused))

"""The sentences for what this room refuses, and what a program is told to do next."""

from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.refusals import Refusal
from accounts.refusals import in_words as _in_words

from .refusals import AccessRefusal as Why
from .standing import Standing

WORDS: dict[Any, str | Promise] = {
    Why.IS_PUBLIC: _("This release is open to everyone. There is nothing to ask for."),
    Why.RETRACTED: _("This release was retracted. Nothing of it is handed out any more."),
    Why.FACTOR_MISSING: _("Set up a second factor first, and log in with it."),
    Why.OTHER_TERMS: _("The terms are another version now, %(version)s. Read them again before you accept."),
    Why.LEFT: _("This account is closed."),
    Why.OWN_REQUEST: _("Nobody decides on their own request. Ask another steward or an admin."),
    Why.NOT_WAITING: _("This request does not wait for an answer any more."),
    Why.NOT_GRANTED: _("This access has ended already."),
    Why.NO_REASON: _("Write why. The person reads it."),
}

# Only programs read these, in English.
NEXT: dict[Standing, str] = {
    Standing.OPEN: "Download it: it is open to everyone.",
    Standing.GRANTED: "Download it.",
    Standing.LOGGED_OUT: (
        "This release is for researchers. Sign up, ask for it on its page, and send a token "
        "with the scope download."
    ),
    Standing.NOT_ASKED: (
        "Ask for this release first: send your name, what you want it for, and the version of the terms "
        "that you accept to its address `request`, or use its page."
    ),
    Standing.WAITING: "Your request waits for the steward's answer. Come again later.",
    Standing.REFUSED: "Your request was refused; its page says why. You may ask again.",
    Standing.ENDED: "The steward ended your access; its page says why. Delete your copies.",
    Standing.WITHDRAWN: "You withdrew from the terms. Delete your copies. You may ask again.",
    Standing.ROLE_LOST: "You are no researcher here any more. Delete your copies, or ask for this release.",
    Standing.OLD_TERMS: "The terms have a new version. Accept it by asking again: access stays as it was.",
    Standing.FACTOR_MISSING: (
        "A download needs a second factor. Set it up, and log in with it or make a new token."
    ),
}


def in_words(refusal: Refusal) -> str:
    return _in_words(refusal, WORDS)

"""The sentences for this room's refusals, on the owner's pages and in the API."""

from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from accounts.refusals import Refusal
from accounts.refusals import in_words as _in_words
from datasets.clips.wording import WORDS as CLIPS_WORDS

from .refusals import BringingRefusal, SentFault

SENT: dict[Any, str | Promise] = {
    SentFault.UNKNOWN_KIND: _("its name is neither that of an audio file nor that of a table"),
    SentFault.BAD_NAME: _("its name cannot be kept: it is empty, too long, or leads out of the folder"),
    SentFault.EMPTY: _("the file is empty"),
    SentFault.INCOMPLETE: _("it was not sent completely"),
    SentFault.DAMAGED: _("what arrived is not what was sent: send it again"),
    SentFault.LOST: _("what was sent of it is lost: send it again"),
    SentFault.NOT_IN_TABLE: _("no row of the table names it"),
    SentFault.CONTRADICTS: _("an earlier row names the same file and says something else of it"),
    SentFault.REPLACED: _("another file of the same name was sent after it"),
    SentFault.PIPED: _("its row is a command, not a file"),
    SentFault.PART_OF_FILE: _("its row means a part of the file, which is not supported"),
    SentFault.UNEXPECTED: _("it could not be read, for a reason that this site does not know"),
}

WORDS: dict[Any, str | Promise] = {
    **CLIPS_WORDS,
    **SENT,
    BringingRefusal.NO_COLLECTION: _("Give the collection a name."),
    BringingRefusal.NO_REFERENCE: _("Say where the speakers’ consent is filed."),
    BringingRefusal.TOO_LONG: ngettext_lazy(
        "Write at most %(most)d character.", "Write at most %(most)d characters.", "most"
    ),
    BringingRefusal.UNKNOWN_LICENCE: _("This is not an SPDX identifier such as CC-BY-4.0."),
    BringingRefusal.NO_LICENCE: _("Choose a licence, or the column that names it."),
    BringingRefusal.NOT_GATHERING: _("This import takes no more files."),
    BringingRefusal.UNKNOWN_FILE: _("This import has no such file: name it first."),
    BringingRefusal.TOO_MANY_BYTES: _("These are more bytes than the file has."),
    BringingRefusal.TOO_MUCH: _("One import may have at most %(most)d GB: bring the rest in another one."),
    BringingRefusal.NO_SPACE: _(
        "There is not enough space on this site’s disk. Tell the people who run this site."
    ),
    BringingRefusal.INCOMPLETE: ngettext_lazy(
        "%(number)d file has not arrived completely. Send the rest, or go on without it.",
        "%(number)d files have not arrived completely. Send the rest, or go on without them.",
        "number",
    ),
    BringingRefusal.NO_SOUNDS: _("There is no recording yet."),
    BringingRefusal.UNKNOWN_TABLE: _("There is no such table among the files."),
    BringingRefusal.NOT_READABLE: _("This import can no longer be opened: the person who began it left."),
    BringingRefusal.NOTHING_TO_UNDO: _("There is nothing to undo."),
    BringingRefusal.NOTHING_TO_CANCEL: _("This import is over already."),
}


def in_words(refusal: Refusal) -> str:
    return _in_words(refusal, WORDS)

"""The sentences for refusals of this room, for its pages, the device API and the import command."""

from accounts.consent import ConsentRefusal
from accounts.wording import WORDS as ACCOUNTS_WORDS
from datasets.normalise import TranscriptFault

# A machine's draft is a transcript too.
DRAFT = {
    TranscriptFault.TOO_LONG: "draft is %(found)d characters long, at most %(most)d are taken.",
    TranscriptFault.TOO_MANY_WORDS: "draft has %(found)d words, at most %(most)d are taken.",
    TranscriptFault.ZERO_CHARACTER: "draft holds a zero character.",
}

FOR_DEVICES = ACCOUNTS_WORDS | {
    ConsentRefusal.NO_CONSENT: "No live consent: volunteers may hear %(material)s.",
}

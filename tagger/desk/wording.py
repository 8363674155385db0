"""The sentences for refused answers, for the volunteer's page and its API."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts import refusals
from datasets.normalise import BadTranscript, TranscriptFault
from tagger.lending.quotas import QuotaReached, QuotaRefusal
from tagger.lending.refusals import AnswerRefusal, AnswerRefused

# What only a program can cause stays English.
WORDS: dict[AnswerRefusal | TranscriptFault, str | Promise] = {
    AnswerRefusal.NOT_A_LABEL: "answer is one of %(labels)s.",
    AnswerRefusal.NOT_A_REASON: "reason is one of %(reasons)s.",
    AnswerRefusal.NOT_A_PART: "part is [from, to] in seconds, within %(seconds).2f.",
    AnswerRefusal.NOTE_TOO_LONG: _("Your note has %(found)d characters. Up to %(most)d fit."),
    AnswerRefusal.NOTE_HAS_EMAIL: _(
        "Your note has an e-mail address or a user name in it. Please leave it out."
    ),
    AnswerRefusal.NOTE_HAS_LINK: _("Your note has a web address in it. Please leave it out."),
    AnswerRefusal.NOTE_HAS_NUMBER: _(
        "Your note has a long number in it, such as a telephone number. Please leave it out."
    ),
    TranscriptFault.TOO_LONG: "transcript is %(found)d characters long, at most %(most)d are accepted.",
    TranscriptFault.TOO_MANY_WORDS: "transcript has %(found)d words, at most %(most)d are accepted.",
    TranscriptFault.ZERO_CHARACTER: _("The transcript contains a null character."),
    AnswerRefusal.ANSWERED_DIFFERENTLY: _("You already gave this clip a different answer."),
    AnswerRefusal.ALREADY_ANSWERED: _("This clip was already answered."),
    AnswerRefusal.ALREADY_SKIPPED: _("This clip was already skipped."),
    AnswerRefusal.ALREADY_REPORTED: _("This clip was already reported."),
    AnswerRefusal.TOO_LATE: _("You had this clip for too long, and it has enough answers without yours."),
    AnswerRefusal.NOT_LENT: "This clip is no longer lent to you.",
    AnswerRefusal.SHOWN_AS_EXAMPLE: _("This clip is now shown with its answer."),
    AnswerRefusal.NOT_AMONG_LAST: "Only your last %(number)d answers can be changed.",
    AnswerRefusal.OBJECTED_ALREADY: _("You already said what you think of this clip."),
    AnswerRefusal.SAME_AS_SETTLED: _("That is the settled answer. Give the one that you think is right."),
    AnswerRefusal.CLIP_GONE: _("This clip is no longer available: it was withdrawn or reported."),
}


QUOTAS: dict[QuotaRefusal, Promise] = {
    QuotaRefusal.LENT: _("That was a lot of clips in a short time. More come in %(wait)s."),
    QuotaRefusal.SKIPPED: _("You skipped many clips in a short time. You can skip more in %(wait)s."),
    QuotaRefusal.REPORTED: _("You reported many clips in a short time. You can report more in %(wait)s."),
    QuotaRefusal.OBJECTED: _(
        "Reviewers hear only some clips again for each person. You can send more tomorrow."
    ),
}


def in_words(refused: AnswerRefused | BadTranscript | QuotaReached) -> str:
    """In the language that is active."""
    if isinstance(refused, QuotaReached):
        return str(QUOTAS[QuotaRefusal(refused.code)]) % {"wait": _minutes(refused.seconds)}
    return refusals.in_words(refused, WORDS)


def _minutes(seconds: int) -> str:
    """Rounded up, so that what is promised is true."""
    minutes = -(-seconds // 60)
    return ngettext("%(minutes)d minute", "%(minutes)d minutes", minutes) % {"minutes": minutes}

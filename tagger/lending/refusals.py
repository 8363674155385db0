"""Why an assignment takes no answer, skip, report or change."""

from enum import StrEnum

from accounts.refusals import Refusal


class AnswerRefusal(StrEnum):
    NOT_A_LABEL = "not-a-label"  # labels
    NOT_A_REASON = "not-a-reason"  # reasons
    NOT_A_PART = "not-a-part"  # seconds
    NOTE_TOO_LONG = "note-too-long"  # found, most
    NOTE_HAS_EMAIL = "note-has-email"
    NOTE_HAS_LINK = "note-has-link"
    NOTE_HAS_NUMBER = "note-has-number"

    ANSWERED_DIFFERENTLY = "answered-differently"

    ALREADY_ANSWERED = "already-answered"
    ALREADY_SKIPPED = "already-skipped"
    ALREADY_REPORTED = "already-reported"
    TOO_LATE = "too-late"
    NOT_LENT = "not-lent"
    SHOWN_AS_EXAMPLE = "shown-as-example"
    NOT_AMONG_LAST = "not-among-last"  # number

    OBJECTED_ALREADY = "objected-already"
    SAME_AS_SETTLED = "same-as-settled"

    CLIP_GONE = "clip-gone"


class AnswerRefused(Refusal):
    """Its code is an AnswerRefusal. Nothing was changed."""

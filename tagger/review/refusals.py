"""Why an act of a reviewer is refused."""

from enum import StrEnum

from accounts.refusals import Refusal


class ReviewRefusal(StrEnum):
    ALREADY_DECIDED = "review-already-decided"
    TAKEN_BY_ANOTHER = "review-taken-by-another"
    NOT_FOR_KIND = "review-not-for-kind"
    NO_ANSWER = "review-no-answer"
    NOT_A_NUMBER = "review-not-a-number"  # most
    NOT_A_REASON = "review-not-a-reason"  # reasons
    NOTE_TOO_LONG = "review-note-too-long"  # most
    NOT_PARTS = "review-not-parts"

    UNDONE_ALREADY = "undo-undone-already"
    NOT_AMONG_LAST = "undo-not-among-last"  # number
    CHANGED_SINCE = "undo-changed-since"
    RELEASED_SINCE = "undo-released-since"
    FOR_GOOD = "undo-for-good"


class ReviewRefused(Refusal):
    """Its code is a ReviewRefusal. Nothing was changed."""

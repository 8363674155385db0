"""Why an owner's act on a clip is refused."""

from enum import StrEnum

from accounts.refusals import Refusal


class ClipRefusal(StrEnum):
    REVIEWER_FIRST = "clip-reviewer-first"
    UNUSABLE_ALREADY = "clip-unusable-already"
    NOT_SETTLED = "clip-not-settled"
    NOT_LIVE = "clip-not-live"
    EXAMPLE_ALREADY = "clip-example-already"


class ClipRefused(Refusal):
    """Its code is a ClipRefusal. Nothing was changed."""

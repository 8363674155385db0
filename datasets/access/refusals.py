"""Why a release cannot be asked for, or a request not be decided, as somebody wants it."""

from enum import StrEnum

from accounts.refusals import Refusal


class AccessRefusal(StrEnum):
    IS_PUBLIC = "access-is-public"
    RETRACTED = "access-retracted"
    FACTOR_MISSING = "second-factor-missing"
    OTHER_TERMS = "access-other-terms"  # version
    LEFT = "access-left"
    OWN_REQUEST = "access-own-request"
    NOT_WAITING = "access-not-waiting"
    NOT_GRANTED = "access-not-granted"
    NO_REASON = "access-no-reason"


class AccessRefused(Refusal):
    """Its code is an AccessRefusal."""

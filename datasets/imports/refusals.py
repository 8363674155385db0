"""Why an import, or what was sent for it, is refused."""

from enum import StrEnum

from accounts.refusals import Refusal


class BringingRefusal(StrEnum):
    NO_COLLECTION = "import-without-collection"
    NO_REFERENCE = "import-without-consent-reference"
    TOO_LONG = "import-text-too-long"
    UNKNOWN_LICENCE = "import-unknown-licence"
    NO_LICENCE = "import-without-licence"
    NOT_GATHERING = "import-takes-no-files"
    UNKNOWN_FILE = "import-unknown-file"
    TOO_MANY_BYTES = "import-more-than-the-file"
    TOO_MUCH = "import-too-large"
    NO_SPACE = "import-no-space"
    INCOMPLETE = "import-incomplete"
    NO_SOUNDS = "import-without-sounds"
    UNKNOWN_TABLE = "import-unknown-table"
    NOT_READABLE = "import-key-gone"
    NOTHING_TO_UNDO = "import-nothing-to-undo"
    NOTHING_TO_CANCEL = "import-nothing-to-cancel"


class ImportRefused(Refusal):
    """The import is refused, or what was asked of it. Its code is a BringingRefusal."""


class SentFault(StrEnum):
    """Why one file is refused that was named or sent."""

    UNKNOWN_KIND = "sent-unknown-kind"
    BAD_NAME = "sent-bad-name"
    EMPTY = "sent-empty"
    INCOMPLETE = "sent-incomplete"
    DAMAGED = "sent-damaged"
    LOST = "sent-lost"
    NOT_IN_TABLE = "sent-not-in-table"
    CONTRADICTS = "sent-row-contradicts"
    REPLACED = "sent-again"
    PIPED = "sent-row-is-a-command"
    PART_OF_FILE = "sent-row-is-a-part"
    UNEXPECTED = "sent-unexpected"

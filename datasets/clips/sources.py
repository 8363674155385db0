"""Where an import's files come from: a folder, or a manifest that names them."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from accounts.refusals import Refusal


class SourceFault(StrEnum):
    """Why a folder or manifest cannot be read as one."""

    MISSING = "source-missing"
    UNREADABLE = "source-unreadable"
    UNKNOWN_KIND = "source-of-unknown-kind"
    NOT_UTF_8 = "manifest-not-utf-8"
    BROKEN_CSV = "manifest-broken-csv"
    NO_PATH_COLUMN = "manifest-without-path-column"
    UNKNOWN_COLUMNS = "manifest-unknown-columns"
    COLUMN_TWICE = "manifest-column-twice"
    TOO_MANY_CELLS = "manifest-too-many-cells"
    TOO_FEW_CELLS = "manifest-too-few-cells"
    BROKEN_LINE = "table-broken-line"
    SEGMENTS = "table-of-segments"
    NO_LICENCE = "source-without-licence"
    OTHER_LICENCE = "archive-of-another-licence"
    BROKEN_ARCHIVE = "archive-broken"
    BAD_MEMBER = "archive-bad-member"
    NO_SOUND = "archive-without-sound"
    NOT_THIS_LAYOUT = "archive-of-another-layout"


class BadSource(Refusal):
    """The folder or manifest cannot be read as one. Its code is a SourceFault."""


class ImportRefusal(StrEnum):
    """Why one file, its row of the manifest, or a folder is refused."""

    MISSING = "file-missing"
    NOT_A_FILE = "not-a-file"
    TOO_LARGE = "file-too-large"
    UNREADABLE = "file-unreadable"
    LINKED_FOLDER = "linked-folder"
    OUTSIDE = "file-outside"
    CONTRADICTS = "contradicts-earlier-row"
    BAD_LANGUAGE = "bad-language"
    OTHER_LANGUAGE = "other-language"
    BAD_TRUTH = "bad-truth"
    ZERO_CHARACTER = "zero-character"
    WITHDREW = "contributor-withdrew"
    BAD_LICENCE = "bad-licence"
    NO_LICENCE = "no-licence"
    BAD_VOICE = "bad-voice"
    OTHER_KIND = "answers-another-question"
    NOT_LISTED = "not-listed"


class FileRefused(Refusal):
    """One file of an import is refused. Its code is an ImportRefusal."""


@dataclass(frozen=True)
class ImportItem:
    """One file of the source, with what the manifest says about it. `name` is for messages.

    A file that is not on a disk here has `read`, and `number`, by which its outcome is recorded.
    `earlier_line` is that of an earlier row that says the same, 0 if there is none. A `fault` was found while
    the source was read; of a folder, it means that no one knows which files are in it.
    """

    name: str
    path: str | Path
    language: str = ""
    speaker: str = ""
    wake_word: str = ""
    truth: str = ""
    transcript: str = ""
    draft: str = ""
    licence: str = ""
    voice: str = ""
    earlier_line: int = 0
    fault: FileRefused | None = None
    is_folder: bool = False
    read: Callable[[], bytes] | None = None
    number: int = 0

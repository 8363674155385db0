"""The sentence for each refusal of this room. Only commands and the API show them, in English."""

from accounts.refusals import Refusal, in_words

from .formats.folder import FolderRefusal
from .formats.rows import FormatRefusal
from .freezing import ReleaseRefusal
from .groups import GroupRefusal
from .pinning import LicenceRefusal
from .versions import VersionRefusal

WORDS = {
    ReleaseRefusal.BAD_NAME: "%(slug)r cannot name a release: up to 60 letters, digits, - and _ can.",
    ReleaseRefusal.NAME_TAKEN: "There is a release %(slug)s already; a release is never changed.",
    ReleaseRefusal.BAD_CONFIDENCE: "min-confidence is %(found)s, it must be from 0 to 1.",
    ReleaseRefusal.BAD_CONTRIBUTORS: "min-contributors is %(found)d, it must be at least 1.",
    ReleaseRefusal.TOO_FEW_CONTRIBUTORS: (
        "%(found)d contributors have a settled clip here that may be released, "
        "at least %(least)d are asked for."
    ),
    ReleaseRefusal.TOO_FEW_CLEARED: (
        "%(found)d contributors have a settled clip here that is cleared for release, "
        "at least %(least)d are asked for. %(not_cleared)d settled clips wait for privacy reviewers."
    ),
    FormatRefusal.UNKNOWN: "no format %(name)r; there are %(known)s",
    FormatRefusal.NO_CLIPS: "%(format)s can hold no clip of this release: %(reasons)s",
    FormatRefusal.NO_PREVIOUS: "%(release)s is a first version: there is nothing that it differs from.",
    FormatRefusal.WHOLE_ONLY: "%(format)s packs many clips into a file, so it comes only as a whole.",
    LicenceRefusal.NOT_STATED: (
        "%(clips)d imported clips have no licence, so they cannot be released under %(asked)s."
    ),
    LicenceRefusal.NOT_COMPATIBLE: (
        "Clips that were given under %(found)s cannot be released as a whole under %(asked)s."
    ),
    GroupRefusal.TELLS_APART: (
        "The %(column)s %(value)r would tell %(found)d contributors apart, at least %(least)d are needed. "
        "Release it without the others, or leave it out."
    ),
    GroupRefusal.FEW_ANNOTATORS: (
        "%(found)d volunteers who gave answers to %(value)s agreed that releases list them one by one, "
        "at least %(least)d are needed. Release it without single votes."
    ),
    VersionRefusal.BAD_NUMBER: "%(found)r is no version: write three numbers, such as 1.2.0.",
    VersionRefusal.NOT_NEWER: "version %(found)s does not follow %(number)s, that of %(previous)s.",
    VersionRefusal.NOT_THE_LAST: "%(previous)s is followed by %(last)s already.",
    FolderRefusal.OCCUPIED: "%(folder)s exists and is not an empty folder; name another or empty it",
    FolderRefusal.NOT_MOUNTED: "no disk is mounted at %(mount)s, for %(folder)s",
    FolderRefusal.OUTSIDE: "%(path)r leads outside the folder",
    FolderRefusal.TWICE: "%(path)s comes twice",
    FolderRefusal.WRONG_SIZE: "%(path)s has %(found)d bytes, not %(expected)d",
}


def explained(error: Exception) -> str:
    """What a command prints: the sentence of a refusal, or the text of another error."""
    return in_words(error, WORDS) if isinstance(error, Refusal) else str(error)

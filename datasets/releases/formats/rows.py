"""A format's input: rows. And what a format is."""

import json
import re
from dataclasses import dataclass, fields
from enum import StrEnum
from operator import attrgetter
from typing import Any, NamedTuple

from accounts.refusals import Refusal

from .subsets import KINDS, TRANSCRIPTION, WAKE_WORD

__all__ = ["KINDS", "SPLITS", "TRANSCRIPTION", "WAKE_WORD", "FormatRefusal", "Row", "SingleVote"]

SPLITS = ("train", "dev", "test")

_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


class SingleVote(NamedTuple):
    """One volunteer's answer to a clip.

    `annotator` is their id, random for the release; `answer` a label, or a transcript in normal form;
    `weight` what it counted, None if that is not said; `day` as 2026-05-04, None if that is not said. In
    place of what was taken back since the recall feed all of them are blank, of the same size.
    """

    annotator: str
    answer: str
    weight: float | None
    day: str | None


@dataclass(frozen=True, slots=True)
class Row:
    """One settled clip of a release. Its ids are random and mean nothing outside the release.

    `text` is the settled transcript in normal form; `label` is yes, similar, no or noise, and None for
    a transcription. `size` is the WAV's, in bytes: 44, and 2 for each sample. `soft` is the evidence of
    the verdict. `subset` is its number in the release's list of subsets, and `folder` where its files are:
    nothing, or a name and a slash.

    `licence` is the SPDX identifier under which the clip was given, empty if it is not known; `source` is
    browser, device or import; `votes` is how many answers settled it. `snr` (dB) and `clipping` (share of the
    samples) are estimates, None if they were not measured; `speech_share` is the share of the clip in which a
    machine heard speech. `for_synthesis`: its speaker agreed to speech synthesis. `previous` is its id in the
    version before this one, empty if it was not there, and `changed_by` why its answer is another one now.
    `single_votes` are those that the release lists, always in the same order.

    Raises ValueError for an id that is not a safe file name, and for an unknown split or kind.
    """

    id: str
    speaker: str
    split: str
    kind: str
    wake_word: str
    label: str | None
    text: str
    seconds: float
    size: int
    confidence: float
    soft: dict[str, Any]
    language: str
    subset: int = 0
    folder: str = ""
    campaign: str = ""
    licence: str = ""
    source: str = ""
    votes: int = 0
    snr: float | None = None
    clipping: float | None = None
    speech_share: float | None = None
    for_synthesis: bool = False
    previous: str = ""
    changed_by: str = ""
    single_votes: tuple[SingleVote, ...] = ()

    def __post_init__(self) -> None:
        if not _FILE_NAME.fullmatch(self.id):
            raise ValueError(f"row id {self.id!r} is not safe as a file name")
        if self.split not in SPLITS:
            raise ValueError(f"row {self.id}: split {self.split!r} is none of {SPLITS}")
        if self.kind not in KINDS:
            raise ValueError(f"row {self.id}: kind {self.kind!r} is none of {KINDS}")

    def __reduce__(self) -> tuple[type["Row"], tuple[Any, ...]]:
        """Pickle as a tuple of values, in a tenth of the time that a dataclass takes by default."""
        return Row, _values(self)

    @property
    def answer(self) -> str | None:
        return self.label if self.kind == WAKE_WORD else self.text


_values = attrgetter(*(field.name for field in fields(Row)))


class FormatRefusal(StrEnum):
    UNKNOWN = "unknown-format"  # name, known
    NO_CLIPS = "no-clips"  # format, reasons
    NO_PREVIOUS = "no-previous"  # release
    WHOLE_ONLY = "whole-only"  # format


class UnknownFormat(Refusal):
    """There is no writer of that name. Its code is a FormatRefusal."""


class NotRepresentable(Refusal):
    """A format cannot hold this release. Its code is a FormatRefusal."""


class OutOfOrder(ValueError):
    """The rows are not those from which the archive was planned, or not in their order.

    So it is when the next recall feed is published during a download: from then on it is another archive.
    """


def as_json(value: Any) -> str:
    """On one line, with sorted keys, because PostgreSQL's JSON does not keep their order."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True)

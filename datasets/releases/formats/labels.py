"""What is known of a clip, under the same names in every table that a format chooses the columns of."""

from typing import Any

from . import transcripts
from .rows import Row
from .tables import ANNOTATORS, INTEGER, NUMBER, TEXT, Column

# What the fields say, for programs that read croissant.json.
COLUMNS = (
    Column("id", TEXT, "The clip, under an id of this release alone."),
    Column("speaker", TEXT, "Its speaker, under an id of this release alone."),
    Column("split", TEXT, "train, dev or test. No speaker is in two."),
    Column("kind", TEXT, "What was asked about the clip: wake-word or transcription."),
    Column("language", TEXT, "The language that was asked for (BCP 47)."),
    Column("wake_word", TEXT, "The wake word that was asked about; empty for a transcription."),
    Column("text", TEXT, "The transcript; of a clip answered yes the wake word.", ANNOTATORS),
    Column("label", TEXT, "yes, similar, no or noise; none for a transcription.", ANNOTATORS),
    Column("seconds", NUMBER, "How long it is."),
    Column("confidence", NUMBER, "How certain the answer is, from 0 to 1.", ANNOTATORS),
    Column("votes", INTEGER, "How many answers settled it."),
    Column("campaign", TEXT, "The campaign that asked; empty where that would tell few people apart."),
    Column("licence", TEXT, "The licence under which it was given (SPDX); empty if none was stated."),
    Column("source", TEXT, "browser, device or import; empty where that would tell few people apart."),
    Column("snr", NUMBER, "The estimated ratio of speech to noise, in dB."),
    Column("clipping", NUMBER, "The share of samples at full scale, from 0 to 1."),
    Column("speech_share", NUMBER, "The share of the clip in which a machine heard speech, from 0 to 1."),
)
SOFT = Column("soft", TEXT, "The votes for every answer, or for every word, as JSON.", ANNOTATORS)

ANSWER = Column("answer", TEXT, "What the clip was settled on: a label, or a transcript.", ANNOTATORS)

_MEASURED = ("snr", "clipping", "speech_share")
ALWAYS_KNOWN = tuple(column for column in COLUMNS if column.name not in _MEASURED)


def known(*names: str) -> tuple[Column, ...]:
    """The columns of these names.

    >>> [column.type for column in known("id", "seconds")]
    ['sc:Text', 'sc:Float']
    """
    by_name = {column.name: column for column in COLUMNS}
    return tuple(by_name[name] for name in names)


def fields(row: Row) -> dict[str, Any]:
    """All that is known of a clip but its evidence. What does not apply or was not measured is None."""
    return {
        "id": row.id,
        "speaker": row.speaker,
        "split": row.split,
        "kind": row.kind,
        "language": row.language,
        "wake_word": transcripts.wake_word(row),
        "text": transcripts.spoken(row),
        "label": row.label,
        "seconds": row.seconds,
        "confidence": row.confidence,
        "votes": row.votes,
        "campaign": row.campaign,
        "licence": row.licence,
        "source": row.source,
        "snr": row.snr,
        "clipping": row.clipping,
        "speech_share": row.speech_share,
    }


def always_known(row: Row) -> dict[str, Any]:
    """Those that every row has, with an empty label for a transcription.

    `datasets` guesses a column's type from each split's rows, and one without any value has another type.
    """
    known = fields(row) | {"label": row.label or ""}
    return {column.name: known[column.name] for column in ALWAYS_KNOWN}

"""Common Voice: the tables and folders of its releases, by language.

The columns are those of Common Voice 17 and later: https://github.com/common-voice/cv-dataset
Age, gender and accents are never asked, so they are empty.
"""

from collections.abc import Callable, Iterable, Sequence

from . import tables, transcripts
from .form import Document
from .parts import Clips, Part, Table
from .rows import WAKE_WORD, Row
from .subsets import Subset
from .summary import Summary

NAME = "common-voice"
BY_SPEAKER, PER_SPEAKER, SHARD_BYTES = False, False, 0

LAYOUT = """\
- `LANGUAGE/train.tsv`, `dev.tsv`, `test.tsv`: the clips of each split, separated by tabs, without quoting.
- `LANGUAGE/validated.tsv`: those of all splits. `invalidated.tsv`: clips in which the wake word was not
  heard, with the wake word as `sentence`. `other.tsv` has no clips: all of a release are settled.
- `LANGUAGE/clip_durations.tsv`: `clip` and `duration[ms]`.
- `LANGUAGE/clips/`: WAV, 16 kHz, mono, 16 bit.

`client_id` is the speaker, under an id of this release alone. Of a wake word, `up_votes` are those who
heard it and `down_votes` those who did not; of a transcript, `up_votes` are all who wrote or checked it.
`age`, `gender` and `accents` are empty because nobody was asked. With several kinds of question or wake
words, each has a folder of its own with all of these."""

# validated.tsv has the clips of all splits.
TABLES = {
    "*/validated.tsv": (
        tables.Column("client_id", tables.TEXT, "The speaker, under an id of this release alone."),
        tables.Column("path", tables.TEXT, "The file of the sound, in clips/."),
        tables.Column("sentence", tables.TEXT, "What is said, in normal form.", tables.ANNOTATORS),
        tables.Column("up_votes", tables.INTEGER, "How many people agree.", tables.ANNOTATORS),
        tables.Column("down_votes", tables.INTEGER, "How many do not.", tables.ANNOTATORS),
        tables.Column("locale", tables.TEXT, "The language."),
    ),
    "*/clip_durations.tsv": (
        tables.Column("clip", tables.TEXT, "The file of the sound, in clips/."),
        tables.Column("duration[ms]", tables.INTEGER, "How long it is, in milliseconds."),
    ),
}

_COLUMNS = (
    *("client_id", "path", "sentence_id", "sentence", "sentence_domain", "up_votes", "down_votes"),
    *("age", "gender", "accents", "variant", "locale", "segment"),
)


def why_left_out(row: Row) -> str | None:
    """Why a row cannot be in this format, or None."""
    return transcripts.why_partial(_sentence(row))


def parts(subsets: Sequence[Subset]) -> Sequence[Part]:
    return [
        _table(subsets, ("train", "dev", "test"), _is_valid),
        _table(subsets, ("validated",), _is_valid),
        _table(subsets, ("invalidated",), lambda row: not _is_valid(row)),
        _table(subsets, ("other",), lambda row: False),
        Table(
            path=lambda place: f"{_folder(place.subset)}clip_durations.tsv",
            content=lambda rows, before: [_line((_name(row), round(row.seconds * 1000))) for row in rows],
            head=_line(("clip", "duration[ms]")),
            has_words=False,
        ),
        Clips(lambda row: f"{row.folder}{_locale(row.language)}/clips/{_name(row)}"),
    ]


def documents(subsets: Sequence[Subset], summary: Summary) -> Iterable[Document]:
    return ()


def _table(subsets: Sequence[Subset], names: Sequence[str], takes: Callable[[Row], bool]) -> Table:
    """Tables of those rows that it takes: one for each split if the names are those of the splits."""
    return Table(
        path=lambda place: f"{_folder(place.subset)}{place.split if place.split in names else names[0]}.tsv",
        content=lambda rows, before: [_line(_record(row)) for row in rows if takes(row)],
        head=_line(_COLUMNS),
        always=[f"{_folder(subset)}{name}.tsv" for subset in subsets for name in names],
    )


def _record(row: Row) -> tuple[object, ...]:
    up, down = _votes(row)
    given = row.speaker, _name(row), "", _sentence(row), "", up, down
    return *given, "", "", "", "", _locale(row.language), ""


def _sentence(row: Row) -> str:
    return transcripts.wake_word(row) if row.kind == WAKE_WORD else row.text


def _is_valid(row: Row) -> bool:
    return row.kind != WAKE_WORD or row.label == "yes"


def _votes(row: Row) -> tuple[int, int]:
    """How many people agree with the sentence, and how many do not.

    Of a transcript only how many there were is known: its evidence is blank once it is withdrawn.
    """
    if row.kind != WAKE_WORD or "votes" not in row.soft:
        return row.votes, 0
    up = int(row.soft["votes"].get("yes", 0))
    return up, int(sum(row.soft["votes"].values())) - up


def _folder(subset: Subset) -> str:
    return f"{subset.folder}{_locale(subset.language)}/"


def _locale(language: str) -> str:
    return language or "und"  # BCP 47: undetermined


def _name(row: Row) -> str:
    return f"{row.id}.wav"


def _line(fields: Iterable[object]) -> bytes:
    return ("\t".join(map(str, fields)) + "\n").encode()

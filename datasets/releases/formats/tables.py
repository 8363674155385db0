"""What programs are told of an archive's files that are not sounds, and of the columns of its tables."""

from typing import NamedTuple

TEXT, INTEGER, NUMBER, BOOLEAN, AUDIO = "sc:Text", "sc:Integer", "sc:Float", "sc:Boolean", "sc:AudioObject"

# Whose answers a column has.
ANNOTATORS = "annotators"


class Column(NamedTuple):
    """One column of a table: its name, its Croissant type and what it says.

    `by` is ANNOTATORS if volunteers answered it.
    """

    name: str
    type: str = TEXT
    says: str = ""
    by: str = ""


class File(NamedTuple):
    """One file that is not a sound; `size` in bytes. `kind` is one of MEDIA.

    `columns` are those of a table. A format can also give them in TABLES, {glob of paths: columns}, and in
    KINDS, {glob of paths: kind}, what the ending of a name does not say.
    """

    path: str
    size: int
    kind: str
    columns: tuple[Column, ...] = ()


LABELS = "soft-labels.jsonl"

LABEL_COLUMNS = (
    Column("id", TEXT, "The clip, under an id of this release alone."),
    Column("speaker", TEXT, "Its speaker, under an id of this release alone."),
    Column("split", TEXT, "train, dev or test. No speaker is in two."),
    Column("answer", TEXT, "What the clip was settled on: a label, or a transcript.", ANNOTATORS),
    Column("confidence", NUMBER, "How certain the answer is, from 0 to 1.", ANNOTATORS),
)

# The kinds of files, and the media type of each.
MEDIA = {
    "csv": "text/csv",
    "tsv": "text/tab-separated-values",
    "jsonl": "application/jsonlines",
    "json": "application/json",
    "parquet": "application/x-parquet",
    "tar": "application/x-tar",
    "gzip": "application/gzip",
    "markdown": "text/markdown",
    "text": "text/plain",
}

_BY_ENDING = {"md": "markdown", "gz": "gzip"}


def kind_of(path: str) -> str:
    """The kind of a file by the ending of its name; what is not known is text.

    >>> kind_of("data/train.csv"), kind_of("README.md"), kind_of("cuts.jsonl.gz"), kind_of("wav.scp")
    ('csv', 'markdown', 'gzip', 'text')
    """
    ending = path.rpartition(".")[2]
    kind = _BY_ENDING.get(ending, ending)
    return kind if kind in MEDIA else "text"

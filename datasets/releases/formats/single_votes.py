"""votes.parquet: the answers of volunteers one by one, beside the labels that they led to.

As in every table, its size is known from the plan, and what is taken back has the size of what it replaces.
"""

from collections.abc import Iterator, Sequence

from . import parquet_file
from .parquet_file import Group, Record, Type
from .parts import Segment, Table
from .rows import Row, SingleVote
from .tables import ANNOTATORS, NUMBER, TEXT, Column

NAME = "votes.parquet"

COLUMNS = (
    Column("id", TEXT, "The clip, under an id of this release alone."),
    Column("annotator", TEXT, "A volunteer, under an id of this release alone; blank if they took it back."),
    Column("answer", TEXT, "A label, or a transcript in normal form, as this volunteer gave it.", ANNOTATORS),
    Column("weight", NUMBER, "How much it counted: 1 as usual, 0 not at all; none if that is not said."),
    Column("day", TEXT, "The day in UTC on which it was given; none if few volunteers answered then."),
)

_COLUMNS = [
    *(parquet_file.Column(name, is_text=True) for name in ("id", "annotator", "answer")),
    parquet_file.Column("weight", Type.DOUBLE, may_be_none=True),
    parquet_file.Column("day", is_text=True, may_be_none=True),
]


def table() -> Table:
    """One file for the whole release, with a row group for each block of clips that has votes."""
    return Table(
        path=lambda place: NAME,
        content=_content,
        head=parquet_file.MAGIC,
        note=_note,
        tail=_tail,
        always=[NAME],
    )


def blank(vote: SingleVote) -> SingleVote:
    """Says nothing, and takes as many bytes.

    >>> blank(SingleVote("a1", "yes", 1.0, None))
    SingleVote(annotator='  ', answer='   ', weight=0.0, day=None)
    """
    return SingleVote(
        " " * len(vote.annotator),
        " " * len(vote.answer.encode()),
        None if vote.weight is None else 0.0,
        None if vote.day is None else " " * len(vote.day),
    )


def _records(rows: Sequence[Row]) -> list[Record]:
    return [{"id": row.id, **vote._asdict()} for row in rows for vote in row.single_votes]


def _content(rows: Sequence[Row], before: str) -> Iterator[Segment]:
    if records := _records(rows):
        yield from parquet_file.row_group(_COLUMNS, records)


def _note(rows: Sequence[Row]) -> list[Group]:
    records = _records(rows)
    return [parquet_file.measured(_COLUMNS, records)] if records else []


def _tail(notes: Sequence[list[Group]]) -> bytes:
    return parquet_file.footer(_COLUMNS, [group for note in notes for group in note], {})

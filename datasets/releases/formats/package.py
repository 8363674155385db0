"""All files of an archive: the format's own, and those that are in every format."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence

from . import labels, layout, single_votes
from .about import About
from .card import readme
from .croissant import NAME as CROISSANT
from .croissant import croissant
from .datasheet import datasheet
from .delta import whole
from .form import Document, Format
from .layout import Layout
from .licence import licences, texts
from .parts import Clips, Part, SoundOf, Table
from .rows import Row, as_json
from .subsets import Subset
from .summary import Summary
from .tables import LABELS, Column, File, kind_of
from .zenodo import NAME as ZENODO
from .zenodo import zenodo

CHECKSUMS = "checksums.sha256"
PREVIOUS_IDS = "previous-ids.csv"
SOFT_LABELS = (
    *("id", "speaker", "split", "kind", "language", "confidence", "votes", "campaign", "licence", "source"),
    *("seconds", "snr", "clipping", "speech_share"),
)
SOFT_LABEL_COLUMNS = (*labels.known(*SOFT_LABELS), labels.ANSWER)
PREVIOUS_COLUMNS = (
    Column("previous_id", says="The clip's id in the version before."),
    Column("id", says="The clip's id in this version."),
    Column("changed_by", says="Why its answer changed: votes, reviewer or recount; else empty."),
)

_DIGEST = hashlib.sha256().digest_size


def parts(
    form: Format, subsets: Sequence[Subset], has_previous: bool, has_single_votes: bool = False
) -> list[Part]:
    """What all files of an archive but the documents are made of, clips last.

    `has_previous`: the release follows another one, whose ids whoever has it can find in this one.
    `has_single_votes`: it lists answers of volunteers one by one.
    """
    own = form.parts(subsets)
    tables = [part for part in own if isinstance(part, Table)]
    clips = [part for part in own if isinstance(part, Clips)]
    common = Table(path=lambda place: LABELS, content=_soft_labels, always=[LABELS])
    earlier = Table(
        path=lambda place: PREVIOUS_IDS,
        content=_previous_ids,
        head=b"previous_id,id,changed_by\n",
        always=[PREVIOUS_IDS],
        has_words=False,
    )
    votes = [single_votes.table()] if has_single_votes else []
    return [common, *votes, *([earlier] if has_previous else []), *tables, *clips]


def documents(
    form: Format, about: About, summary: Summary, files: Sequence[tuple[str, int]]
) -> Iterator[Document]:
    """The files of every format that are made from counts, and from the paths and sizes of the others."""
    yield "LICENSE.txt", licences(about)
    yield from sorted(texts(about).items())
    yield "README.md", readme(about, summary, form)
    yield "DATASHEET.md", datasheet(about, summary, form)
    yield ZENODO, zenodo(about, summary)
    described = [File(path, size, kind_of(path), _columns(path)) for path, size in files]
    yield CROISSANT, croissant(about, summary, form, described)


def _columns(path: str) -> tuple[Column, ...]:
    """Those of a table that every format has."""
    known = {
        LABELS: SOFT_LABEL_COLUMNS,
        PREVIOUS_IDS: PREVIOUS_COLUMNS,
        single_votes.NAME: single_votes.COLUMNS,
    }
    return known.get(path, ())


def checksum(digest: bytes, path: str) -> bytes:
    """One line of the checksums, as sha256sum reads it; its length depends only on the path."""
    return f"{digest.hex()}  {path}\n".encode()


def checksum_size(path: str) -> int:
    return len(checksum(bytes(_DIGEST), path))


def plan(
    form: Format,
    about: About,
    subsets: Sequence[Subset],
    rows: Iterable[Row],
    framed: Callable[[str, int], int],
) -> Layout:
    """The layout of a release in one format. `framed` says how many bytes a file takes in the archive.

    Raises NotRepresentable and OutOfOrder.
    """
    return layout.plan(
        form,
        subsets,
        rows,
        parts(form, subsets, bool(about.previous), about.has_single_votes),
        framed,
        lambda summary, files: documents(whole(form), about, summary, files),
        checksum_size,
    )


def files(
    form: Format,
    about: About,
    subsets: Sequence[Subset],
    rows: Sequence[Row],
    audio: Callable[[Row], bytes],
    sent: Sequence[Row] = (),
) -> dict[str, bytes]:
    """Every file of a small release by its path, in memory. Rows must be in the format's order.

    `sent` are the same rows when they are sent, if their words are blank by then.
    """
    planned = plan(form, about, subsets, rows, lambda path, size: size)
    blocks, at = [], 0
    for block in planned.blocks:
        blocks.append(layout.kept(block, (sent or rows)[at : at + block.rows]))
        at += block.rows
    made = dict(planned.documents)
    own = parts(form, subsets, bool(about.previous), about.has_single_votes)
    for file in planned.files:
        part = own[file.part]
        assert isinstance(part, Table)
        content = [layout.segments(part, blocks[run.block], run) for run in file.runs]
        flat = [segment for run in content for segment in run]
        body = b"".join(audio(each.row) if isinstance(each, SoundOf) else each for each in flat)
        made[file.path] = file.head + body + file.tail
    for part in own:
        if isinstance(part, Clips):
            made |= {part.path(row): audio(row) for block in blocks for row in block if part.has(row)}
    sums = (checksum(hashlib.sha256(content).digest(), path) for path, content in made.items())
    return made | {CHECKSUMS: b"".join(sums)}


def _previous_ids(rows: Sequence[Row], before: str) -> Iterable[bytes]:
    return [f"{row.previous},{row.id},{row.changed_by}\n".encode() for row in rows if row.previous]


def _soft_labels(rows: Sequence[Row], before: str) -> Iterable[bytes]:
    return [_soft_label(row) for row in rows]


def _soft_label(row: Row) -> bytes:
    known = labels.fields(row)
    fields = {name: known[name] for name in SOFT_LABELS} | {"answer": row.answer, "soft": row.soft}
    return as_json(fields).encode() + b"\n"

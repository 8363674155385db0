"""The files, tables and fields of an archive, as Croissant names them."""

import re
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple, TypeVar

from .about import About
from .card_head import CardForm
from .croissant_conduct import activity, volunteers
from .rows import SPLITS
from .summary import Summary
from .tables import ANNOTATORS, AUDIO, LABEL_COLUMNS, LABELS, MEDIA, TEXT, Column, File

# The splits under the names that Croissant gives them.
_SPLIT_TYPES = {"train": "cr:TrainingSplit", "dev": "cr:ValidationSplit", "test": "cr:TestSplit"}

# The id of a clip is the last run of letters and digits in the name of its file.
_ID = r"(?:.*[^0-9A-Za-z.])?([0-9A-Za-z]+)(?:\.[0-9a-z]+)?$"
_SHARD = re.compile(r"\d{3,}")

Given = TypeVar("Given")


def described(about: About, summary: Summary, form: CardForm, files: Iterable[File]) -> dict[str, Any]:
    """The properties distribution and recordSet; an empty release has no records to describe.

    Raises KeyError for an unknown kind of file.
    """
    listed = [_with_kind(File(*file), form) for file in files]
    tables = _tables(listed, form) if summary.clips else []
    sounds = list(getattr(form, "SOUNDS", ("*.wav",))) if summary.clips else []
    labels = next((table for table in tables if table.id == "labels"), None)
    distribution = [
        *([_archive(about, form), _sound_files(sounds)] if sounds else []),
        *map(_table_files, tables),
        *_other_files(listed, tables),
    ]
    sets = [_splits(), *(_record_set(table, about) for table in tables)] if tables else []
    sets += [_clips(labels, about)] if sounds and labels else []
    return {"distribution": distribution} | ({"recordSet": sets} if sets else {})


class _Table(NamedTuple):
    """Files with the same columns, which are read as one."""

    id: str
    kind: str
    columns: tuple[Column, ...]
    paths: list[str]


def _tables(files: Iterable[File], form: CardForm) -> list[_Table]:
    """Tables with rows. A file without any is left out: some of them have no head that could be read."""
    found: dict[str, _Table] = {}
    for file in files:
        name, columns = _table_of(file, form)
        if columns and file.size:
            found.setdefault(name, _Table(name, file.kind, columns, [])).paths.append(file.path)
    return list(found.values())


def _table_of(file: File, form: CardForm) -> tuple[str, tuple[Column, ...]]:
    if file.path.split("/")[-1] == LABELS:
        return "labels", file.columns or LABEL_COLUMNS
    if file.columns:
        return table_name(file.path), file.columns
    glob, columns = _matching(getattr(form, "TABLES", {}), file.path) or (file.path, ())
    return table_name(glob), columns


def _matching(globs: Mapping[str, Given], path: str) -> tuple[str, Given] | None:
    """The first glob that the path matches, and what is given for it."""
    return next(((glob, given) for glob, given in globs.items() if fnmatchcase(path, glob)), None)


def _with_kind(file: File, form: CardForm) -> File:
    found = _matching(getattr(form, "KINDS", {}), file.path)
    return file._replace(kind=found[1]) if found else file


def table_name(path: str) -> str:
    """The identifier of a table by the path or the glob of its files, without the numbers of shards.

    >>> table_name("data/votes-00000-of-00002.parquet"), table_name("*.csv")
    ('data-votes', 'csv')
    """
    stem, _, ending = _SHARD.sub("*", path).replace("-*-of-*", "").rpartition(".")
    words = re.findall(r"[a-z0-9]+", stem.lower()) or [ending]
    return "-".join(words)


def _globs(paths: Iterable[str]) -> list[str]:
    """The paths, and one glob for shards that are numbered."""
    return sorted({_SHARD.sub("*", path) for path in paths})


def _archive(about: About, form: CardForm) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": "archive",
        "name": f"{form.NAME}.tar",
        "description": (
            "The archive of this format. A program that unpacks it makes one more copy, which must follow "
            "the recalls, too."
        ),
        "contentUrl": f"{about.site}/api/v1/releases/{about.name}/{form.NAME}.tar",
        "encodingFormat": MEDIA["tar"],
    }


def _sound_files(globs: list[str]) -> dict[str, Any]:
    return _file_set("sounds", globs, "audio/wav") | {"containedIn": {"@id": "archive"}}


def _table_files(table: _Table) -> dict[str, Any]:
    return _file_set(f"{table.id}-files", _globs(table.paths), MEDIA[table.kind])


def _other_files(files: Iterable[File], tables: Iterable[_Table]) -> Iterator[dict[str, Any]]:
    """What is no table: one set for each kind."""
    known = {path for table in tables for path in table.paths}
    rest = sorted((file.kind, file.path) for file in files if file.path not in known)
    for kind, some in groupby(rest, key=itemgetter(0)):
        yield _file_set(f"other-{kind}", _globs(path for _, path in some), MEDIA[kind])


def _file_set(name: str, globs: list[str], media: str) -> dict[str, Any]:
    return {
        "@type": "cr:FileSet",
        "@id": name,
        "name": name,
        "includes": globs,
        "encodingFormat": media,
    }


def _splits() -> dict[str, Any]:
    return {
        "@type": "cr:RecordSet",
        "@id": "splits",
        "name": "splits",
        "dataType": "cr:Split",
        "key": {"@id": "splits/name"},
        "field": [
            {"@type": "cr:Field", "@id": "splits/name", "name": "name", "dataType": TEXT},
            {"@type": "cr:Field", "@id": "splits/url", "name": "url", "dataType": "sc:URL"},
        ],
        "data": [{"splits/name": split, "splits/url": _SPLIT_TYPES[split]} for split in SPLITS],
    }


def _record_set(table: _Table, about: About) -> dict[str, Any]:
    fields = [_column(table, column, about) for column in table.columns]
    for column, field in zip(table.columns, fields, strict=True):
        if table.id == "labels" and column.name == "split":
            field["references"] = {"field": {"@id": "splits/name"}}
    names = {each.name for each in table.columns}
    # Several annotators answered the same clip.
    key = {"key": {"@id": f"{table.id}/id"}} if "id" in names and "annotator" not in names else {}
    return {"@type": "cr:RecordSet", "@id": table.id, "name": table.id, **key, "field": fields}


def _column(table: _Table, column: Column, about: About, of: str = "") -> dict[str, Any]:
    """The field of a column, in the table's own record set, or in the one that `of` names."""
    field: dict[str, Any] = {
        "@type": "cr:Field",
        "@id": f"{of or table.id}/{column.name}",
        "name": column.name,
        "description": column.says,
        "dataType": [column.type, "cr:Label"] if column.by == ANNOTATORS else column.type,
        "source": {"fileSet": {"@id": f"{table.id}-files"}, "extract": {"column": column.name}},
    }
    if column.by == ANNOTATORS:
        field["prov:wasAttributedTo"] = volunteers(about)
        field["prov:wasGeneratedBy"] = activity("Votes of volunteers, settled by consensus")
    return {name: value for name, value in field.items() if value}


def _clips(labels: _Table, about: About) -> dict[str, Any]:
    """Each sound with its row of the labels. A sound refers to its row: the other way round gives nothing."""
    sounds = {"fileSet": {"@id": "sounds"}}
    first = {
        "@type": "cr:Field",
        "@id": "clips/id",
        "name": "id",
        "dataType": TEXT,
        "source": {**sounds, "extract": {"fileProperty": "filename"}, "transform": {"regex": _ID}},
        "references": {"fileSet": {"@id": "labels-files"}, "extract": {"column": "id"}},
    }
    audio = {
        "@type": "cr:Field",
        "@id": "clips/audio",
        "name": "audio",
        "description": "WAV, 16 kHz, mono, 16 bit.",
        "dataType": AUDIO,
        "source": {**sounds, "extract": {"fileProperty": "content"}},
    }
    rest = [_column(labels, column, about, of="clips") for column in labels.columns if column.name != "id"]
    key = {"@id": "clips/id"}
    return {
        "@type": "cr:RecordSet",
        "@id": "clips",
        "name": "clips",
        "key": key,
        "field": [first, audio, *rest],
    }

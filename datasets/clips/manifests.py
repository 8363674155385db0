"""Reads a manifest: a table that names files next to it.

Its columns may have our names or those that other collections use; any other is refused, because a speaker
or a transcript that is passed over is noticed only when it is too late. Cells are separated by commas,
semicolons or tabs, whichever makes a path of one column's name.
"""

import csv
import io
import os
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO, TextIO

from .sources import BadSource, FileRefused, ImportItem, ImportRefusal, SourceFault

SUFFIXES = {".csv", ".tsv"}


def _set(names: str) -> frozenset[str]:
    return frozenset(names.split())


# The columns that are read, and what Common Voice, Hugging Face, NeMo, DeepSpeech and others call them.
COLUMNS = {
    "path": _set(
        "audio_filepath audio_path audio_file audio filepath file_path file_name filename wav_filename wav"
    ),
    "language": _set("locale lang language_code language_tag"),
    "speaker": _set("client_id speaker_id spk_id spk user_id contributor_id"),
    "wake_word": _set("wakeword wake_phrase keyword hotword"),
    "truth": _set("label tag"),
    "transcript": _set("sentence text transcription"),
    "draft": _set(""),
    "licence": _set("license"),
    "voice": _set(""),
}
_FIELDS = {name: field for field, names in COLUMNS.items() for name in (field, *names)}

# What this site neither needs nor may hold of a speaker.
PERSONAL = _set(
    "age ages age_group birth_year year_of_birth gender sex accent accents variant dialect native_language "
    "mother_tongue nationality country ethnicity race income"
)

# Columns that describe the file or its collection. Places within a file are not among them: whoever gives
# them means a part of it.
_IGNORED = _set(
    "up_votes down_votes votes segment sentence_id sentence_domain duration seconds length rate sample_rate "
    "sampling_rate samplerate channels num_channels bits bit_depth frames num_frames num_samples size bytes "
    "wav_filesize file_size filesize sha1 sha256 md5 checksum hash source url split subset "
    "set partition id clip_id utterance_id utt_id index note notes comment comments remark remarks"
)
_NO_NAME = "(no name)"  # as of the row numbers that some programs write first

_DELIMITERS = (",", "\t", ";")
_DELIMITER_NAMES = {",": "comma", "\t": "tab", ";": "semicolon"}


@dataclass(frozen=True)
class HeldManifest:
    """A manifest of this name among other files, which it names by their paths beside it.

    `opened` gives its content, from the beginning each time. `fields` are those that its sender chose for its
    columns, "" for a column that is not read; without them they are found by the columns' names.
    """

    name: str
    opened: Callable[[], BinaryIO]
    fields: tuple[str, ...] | None = None

    @property
    def parent(self) -> str:
        return os.path.dirname(self.name)

    def __str__(self) -> str:
        return self.name


Manifest = Path | HeldManifest


@dataclass(frozen=True)
class Layout:
    """`fields` names the field of each column, "" for those that are not read. The rest is for messages."""

    delimiter: str
    fields: tuple[str, ...]
    renamed: dict[str, str]  # the column for each field that is read from one with another name
    ignored: list[str]
    personal: list[str]


def layout(manifest: Manifest) -> Layout:
    """Raises BadSource, also for a column that is unknown, unless its sender chose what it is."""
    with _opened(manifest) as file:
        names, delimiter = _header(manifest, file)
    plain = list(map(_plain, names))
    chosen = manifest.fields if isinstance(manifest, HeldManifest) else None
    found = _chosen(plain, chosen) if chosen else [_FIELDS.get(name, "") for name in plain]
    if "path" not in found:
        shown = ", ".join(names) or "nothing"
        raise BadSource(SourceFault.NO_PATH_COLUMN, path=manifest, line=1, found=shown)
    if not chosen:
        _check_unknown(manifest, [n for n, p in zip(names, plain, strict=True) if not _is_known(p)])
    for field in COLUMNS:
        columns = [name for name, its_field in zip(names, found, strict=True) if its_field == field]
        if len(columns) > 1:
            fault = {"path": manifest, "line": 1, "column": field, "found": " and ".join(columns)}
            raise BadSource(SourceFault.COLUMN_TWICE, **fault)
    by_field = {field: name for name, field in zip(names, found, strict=True) if field}
    unread = [name for name, field in zip(names, found, strict=True) if not field]
    return Layout(
        delimiter,
        tuple(found),
        {field: name for field, name in by_field.items() if name != field},
        [name or _NO_NAME for name in unread if _plain(name) not in PERSONAL],
        [name for name in unread if _plain(name) in PERSONAL],
    )


def beginning(manifest: Manifest, most: int) -> tuple[list[str], list[list[str]]]:
    """The names of the columns, and the first rows as they are. Raises BadSource."""
    with _opened(manifest) as file:
        names, delimiter = _header(manifest, file)
        file.seek(0)
        rows = [row for _, row in _read(manifest, file, delimiter, most + 1)]
    return names, rows[1:]


def guessed(names: Sequence[str]) -> list[str]:
    """For each of these columns the field that its name says; "" if it says none."""
    found = [_FIELDS.get(_plain(name), "") for name in names]
    return [field if field not in found[:place] else "" for place, field in enumerate(found)]


def is_personal(name: str) -> bool:
    """Whether a column says of speakers what this site may not hold."""
    return _plain(name) in PERSONAL


def is_unknown(name: str) -> bool:
    """Whether no one can tell from its name what the column is for."""
    return not _is_known(_plain(name))


def _chosen(names: Sequence[str], chosen: Sequence[str]) -> list[str]:
    """The choice for each column, but none of what this site may not hold."""
    choices = [*chosen, *[""] * len(names)][: len(names)]
    return [
        field if field in COLUMNS and name not in PERSONAL else ""
        for name, field in zip(names, choices, strict=True)
    ]


def items(manifest: Manifest) -> Iterator[ImportItem]:
    """The rows, in order. Raises BadSource."""
    seen: dict[int, tuple[int, int]] = {}
    for line, cells in _rows(manifest):
        yield _item(manifest, line, cells, seen)


def count(manifest: Manifest) -> int:
    """How many rows there are. Reads the manifest to its end. Raises BadSource."""
    return sum(1 for _ in _rows(manifest))


def on_disk(path: str | Path) -> str | None:
    """What the path of a missing file is really called: accents are written in two Unicode forms.

    Also looks in the folder in which Common Voice puts its files.
    """
    folder, name = os.path.split(path)
    found = _spelled(str(path))
    return found or _spelled(os.path.join(folder, "clips", name))


def _opened(manifest: Manifest) -> TextIO:
    if isinstance(manifest, HeldManifest):
        return io.TextIOWrapper(manifest.opened(), encoding="utf-8-sig", newline="")
    try:
        return open(manifest, encoding="utf-8-sig", newline="")
    except OSError as error:
        raise BadSource(SourceFault.UNREADABLE, path=manifest, error=error.strerror) from error


def _header(manifest: Manifest, file: TextIO) -> tuple[list[str], str]:
    """The names of the columns, and what separates them."""
    for delimiter in _DELIMITERS:
        names, _ = _split(manifest, file, delimiter)
        if any(_FIELDS.get(_plain(name)) == "path" for name in names):
            return names, delimiter
    # Someone who is shown the columns can say which one is the path.
    delimiters = _DELIMITERS if isinstance(manifest, HeldManifest) else _DELIMITERS[:1]
    return max((_split(manifest, file, each) for each in delimiters), key=lambda found: len(found[0]))


def _split(manifest: Manifest, file: TextIO, delimiter: str) -> tuple[list[str], str]:
    file.seek(0)
    names = [name.strip("\ufeff \t") for _, row in _read(manifest, file, delimiter, 1) for name in row]
    return names, delimiter


def _plain(name: str) -> str:
    """One form for a column's name, whatever its case and blanks."""
    return "_".join(unicodedata.normalize("NFKC", name).casefold().replace("-", " ").split()).replace(
        "__", "_"
    )


def _is_known(name: str) -> bool:
    return not name or name in _FIELDS or name in PERSONAL or name in _IGNORED


def _check_unknown(manifest: Manifest, unknown: list[str]) -> None:
    if unknown:
        columns, known = ", ".join(unknown), ", ".join(COLUMNS)
        raise BadSource(SourceFault.UNKNOWN_COLUMNS, path=manifest, line=1, columns=columns, known=known)


def _rows(manifest: Manifest) -> Iterator[tuple[int, dict[str, str]]]:
    """The line of each row, and its cells by field."""
    found = layout(manifest)
    width = len(found.fields)
    with _opened(manifest) as file:
        rows = _read(manifest, file, found.delimiter)
        next(rows)
        for line, row in rows:
            fault = {"path": manifest, "line": line, "delimiter": _DELIMITER_NAMES[found.delimiter]}
            if any(map(str.strip, row[width:])):
                raise BadSource(SourceFault.TOO_MANY_CELLS, **fault)
            if len(row) < width:
                raise BadSource(SourceFault.TOO_FEW_CELLS, **fault)
            cells = zip(found.fields, row, strict=False)
            yield line, {field: cell.strip() for field, cell in cells if field}


def _read(
    manifest: Manifest, file: TextIO, delimiter: str, most: int | None = None
) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not empty, with the line on which each ends."""
    if delimiter == "\t":
        # Common Voice's tables have no quotes around cells, but sentences that begin with one.
        reader = csv.reader(file, delimiter=delimiter, quoting=csv.QUOTE_NONE, strict=True)
    else:
        reader = csv.reader(file, delimiter=delimiter, strict=True)
    last = 0
    try:
        for row in reader:
            last = reader.line_num
            if row:
                yield reader.line_num, list(map(_unquoted, row)) if delimiter == "\t" else row
                most = most and most - 1
                if most == 0:
                    return
    except UnicodeDecodeError as error:
        line = _first_line_not_utf_8(manifest)
        raise BadSource(SourceFault.NOT_UTF_8, path=manifest, line=line, error=error.reason) from error
    except csv.Error as error:
        raise BadSource(SourceFault.BROKEN_CSV, path=manifest, line=last + 1, error=error) from error


def _unquoted(cell: str) -> str:
    """Spreadsheets quote some cells between tabs too, and double the quotes in them."""
    inside = cell[1:-1]
    is_quoted = len(cell) > 1 and cell[0] == cell[-1] == '"' and '"' not in inside.replace('""', "")
    return inside.replace('""', '"') if is_quoted else cell


def _first_line_not_utf_8(manifest: Manifest) -> int:
    """Reads the file again, because it is decoded in blocks, well ahead of the line being read."""
    content = manifest.opened() if isinstance(manifest, HeldManifest) else open(manifest, "rb")  # noqa: SIM115
    with io.TextIOWrapper(content, encoding="utf-8", errors="surrogateescape") as file:
        lines = enumerate(file, start=1)
        return next(number for number, line in lines if any("\udc80" <= c <= "\udcff" for c in line))


def _item(
    manifest: Manifest, line: int, cells: dict[str, str], seen: dict[int, tuple[int, int]]
) -> ImportItem:
    """`seen`: by the hash of its path, the line of each earlier row and the hash of its cells."""
    name = cells.pop("path")
    shown = f"line {line}: {name or '(no path)'}"
    path = _sent(manifest, name) if isinstance(manifest, HeldManifest) else _inside(manifest.parent, name)
    if path is None:
        return ImportItem(shown, name, fault=FileRefused(ImportRefusal.OUTSIDE))
    row = _hash(*(unicodedata.normalize("NFC", cell) for cell in cells.values()))
    earlier, its_row = seen.setdefault(_hash(unicodedata.normalize("NFC", path)), (line, row))
    if its_row != row:
        return ImportItem(shown, path, fault=FileRefused(ImportRefusal.CONTRADICTS, line=earlier))
    item = ImportItem(shown, path, earlier_line=0 if earlier == line else earlier)
    return replace(item, **cells)  # type: ignore[arg-type]


def _sent(manifest: HeldManifest, name: str) -> str | None:
    """The name of a file that was sent; it is looked for among these alone. None if there is no name."""
    clean = os.path.normpath(os.path.join(manifest.parent, name.replace("\\", "/"))) if name else ""
    return clean or None


def _inside(folder: Path | str, name: str) -> str | None:
    """The path of a file in the folder or below it; None if the name leads out of it."""
    if "\\" in name and not os.path.lexists(os.path.join(folder, name)):
        name = name.replace("\\", "/")
    has_drive = name[1:2] == ":" and name[:1].isalpha()
    clean = os.path.normpath(name)
    if os.path.isabs(name) or has_drive or clean == ".." or clean.startswith("../"):
        return None
    return os.path.join(folder, clean)


def _hash(*texts: str) -> int:
    both = "\0".join(texts).encode(errors="surrogatepass")
    return int.from_bytes(blake2b(both, digest_size=8).digest())


def _spelled(path: str) -> str | None:
    """The path of an existing file whose name is canonically equivalent, part by part."""
    if "\0" in path:
        return None
    if os.path.lexists(path):
        return path
    folder, name = os.path.split(path)
    if not name or folder == path:
        return None
    real = folder if os.path.isdir(folder) else _spelled(folder)
    if real is None or (name.isascii() and real == folder):
        return None
    try:
        found = _names(real, os.stat(real).st_mtime_ns).get(unicodedata.normalize("NFC", name))
    except OSError:
        return None
    return os.path.join(real, found) if found else None


@lru_cache(maxsize=8)
def _names(folder: str, _changed: int) -> dict[str, str]:
    """The names in a folder by their composed form. `_changed`: its time, so that the cache is not stale."""
    return {unicodedata.normalize("NFC", name): name for name in sorted(os.listdir(folder), reverse=True)}

"""Files that hold many recordings with what is said of them: Parquet, WebDataset, Lhotse Shar. Pure.

They may come from anywhere: a file that is cut off or damaged is refused as BadSource, nothing is unpacked to
disk, and no more than one recording, or one group of rows, is in memory.
"""

import gzip
import json
import os
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from functools import partial
from itertools import groupby
from typing import Any, BinaryIO, cast

import pyarrow
import pyarrow.parquet

from datasets.clips import folders, manifests
from datasets.clips.sources import BadSource, FileRefused, ImportItem, ImportRefusal, SourceFault

from . import trees
from .tables import LONGEST_LINE, MADE, Content, first_of, lines

LARGEST_GROUP = 2**30  # bytes of a group of rows, which is read as one
BATCH_ROWS = 16
MOST_UNPACKED = 2**30  # bytes of one compressed table

# By the names of NeMo, Lhotse and Hugging Face; the first that is there counts.
_NAMES = {
    "transcript": ("text", "transcript", "transcription", "sentence"),
    "speaker": ("speaker", "speaker_id", "client_id"),
    "language": ("language", "lang", "locale"),
    "truth": ("label", "truth"),
    "wake_word": ("wake_word",),
    "licence": ("licence", "license"),
    "voice": ("voice",),
}


def parquet(name: str, content: Content, with_sound: bool = True) -> Iterator[ImportItem]:
    """The rows of a Parquet file with a column of sounds, {bytes, path}. Raises BadSource."""
    with content(name) as file:
        try:
            yield from _rows(name, pyarrow.parquet.ParquetFile(file), with_sound)
        except (pyarrow.ArrowException, OSError, UnicodeDecodeError) as error:
            said = str(error).splitlines()[0].rstrip(".")
            raise BadSource(SourceFault.BROKEN_ARCHIVE, path=name, error=said) from error


def _rows(name: str, opened: Any, with_sound: bool) -> Iterator[ImportItem]:
    schema = opened.schema_arrow
    sounds = [field.name for field in schema if _is_sound(field.type)]
    if not sounds:
        raise BadSource(SourceFault.NO_SOUND, path=name)
    others = [column for column in schema.names if column not in sounds and not manifests.is_personal(column)]
    fields = dict(zip(others, manifests.guessed(others), strict=True))
    read = [column for column, field in fields.items() if field and field != "path"]
    classes = _classes(schema.metadata)
    number = 0
    for group in range(opened.num_row_groups):
        if (size := opened.metadata.row_group(group).total_byte_size) > LARGEST_GROUP:
            error = (
                f"{size / 2**20:,.0f} MB in one group of rows; the limit is {LARGEST_GROUP / 2**20:,.0f} MB"
            )
            raise BadSource(SourceFault.BROKEN_ARCHIVE, path=name, error=error)
        columns = [sounds[0] if with_sound else f"{sounds[0]}.path", *read]
        for batch in opened.iter_batches(BATCH_ROWS, row_groups=[group], columns=columns):
            for row in batch.to_pylist():
                number += 1
                sound = row.pop(sounds[0]) or {}
                said = {fields[column]: _cell(value, classes.get(column)) for column, value in row.items()}
                path = sound.get("path") or f"{name}/{number}"
                yield _item(f"{name}, row {number}", path, said, read=_held(sound.get("bytes")))


def has_sound(name: str, content: Content) -> bool:
    """Whether a Parquet file has a column of sounds; also if it is broken, which reading it says."""
    with content(name) as file:
        try:
            schema = pyarrow.parquet.read_schema(file)
        except (pyarrow.ArrowException, OSError, UnicodeDecodeError):
            return True
        return any(_is_sound(field.type) for field in schema)


def _is_sound(kind: Any) -> bool:
    if not pyarrow.types.is_struct(kind):
        return False
    kinds = {field.name: field.type for field in kind}
    holds_bytes = kinds.get("bytes") in (pyarrow.binary(), pyarrow.large_binary())
    return holds_bytes and kinds.get("path") in (pyarrow.string(), pyarrow.large_string())


def _held(content: bytes | None) -> Callable[[], bytes]:
    def read() -> bytes:
        if content is None:  # a path instead of bytes: to a file that nobody has
            raise FileRefused(ImportRefusal.MISSING)
        if len(content) > trees.LARGEST:
            megabytes, most = len(content) / 2**20, trees.LARGEST // 2**20
            raise FileRefused(ImportRefusal.TOO_LARGE, megabytes=megabytes, most=most)
        return content

    return read


def _classes(metadata: Mapping[bytes, bytes] | None) -> dict[str, list[str]]:
    """The names of classes that Hugging Face's columns hold as numbers."""
    try:
        features = json.loads((metadata or {})[b"huggingface"])["info"]["features"]
        return {name: list(each["names"]) for name, each in features.items() if "names" in each}
    except (AttributeError, KeyError, TypeError, ValueError):
        return {}


def _cell(value: Any, classes: list[str] | None) -> str:
    if classes and isinstance(value, int) and 0 <= value < len(classes):
        return str(classes[value])
    return "" if value is None else str(value).strip()


def webdataset(name: str, content: Content, with_sound: bool = True) -> Iterator[ImportItem]:
    """The samples of a shard: files side by side that have the same name up to its first point.

    Raises BadSource.
    """
    with content(name) as file:
        for key, members in groupby(trees.members(file, name), lambda member: _key(member.name)):
            yield _sample(name, file, key, list(members))


def _key(path: str) -> str:
    folder, base = os.path.split(path)
    return os.path.join(folder, base.split(".")[0])


def _sample(name: str, file: BinaryIO, key: str, members: list[trees.Member]) -> ImportItem:
    shown = f"{name}: {key}"
    sounds = [member for member in members if folders.is_audio(os.path.basename(member.name))]
    said: dict[str, str] = {}
    for member in members:
        if member.name.endswith((".json", ".txt")):
            content = _small(name, file, member)
            row = _object(name, member.name, content) if member.name.endswith(".json") else {"text": content}
            said = {field: first_of(row, *names) for field, names in _NAMES.items()} | {
                field: value for field, value in said.items() if value
            }
    if len(sounds) != 1:
        return _item(shown, key, said, fault=FileRefused(ImportRefusal.MISSING))
    [sound] = sounds
    return _item(shown, sound.name, said, read=partial(trees.read_section, file, sound.offset, sound.size))


def _item(
    shown: str,
    path: str,
    said: Mapping[str, str],
    read: Callable[[], bytes] | None = None,
    fault: FileRefused | None = None,
) -> ImportItem:
    # Elsewhere the field may hold the name of a voice.
    of_this_site = {**said, "voice": MADE if said.get("voice") == MADE else ""}
    return replace(ImportItem(shown, path, read=read, fault=fault), **of_this_site)  # type: ignore[arg-type]


def _small(name: str, file: BinaryIO, member: trees.Member) -> str:
    if member.size > LONGEST_LINE:
        error = f"{member.name} has {member.size:,} bytes; the limit is {LONGEST_LINE:,}"
        raise BadSource(SourceFault.BROKEN_ARCHIVE, path=name, error=error)
    try:
        return trees.read_section(file, member.offset, member.size).decode()
    except UnicodeDecodeError as error:
        raise BadSource(SourceFault.BROKEN_ARCHIVE, path=name, error=f"{member.name} is not UTF-8") from error


def _object(name: str, member: str, content: str) -> dict[str, Any]:
    try:
        row = json.loads(content)
    except (ValueError, RecursionError):
        row = None
    if not isinstance(row, dict):
        raise BadSource(SourceFault.BROKEN_ARCHIVE, path=name, error=f"{member} is no JSON object")
    return row


def shar(
    name: str, others: Collection[str], content: Content, with_sound: bool = True
) -> Iterator[ImportItem]:
    """The cuts of cuts.NNNNNN.jsonl, maybe compressed; their sounds are in recording.NNNNNN.tar beside it.

    Raises BadSource.
    """
    sounds = recordings_of(name)
    if sounds not in others:
        raise BadSource(SourceFault.MISSING, path=sounds)
    with content(sounds) as file:
        places = {
            os.path.splitext(each.name)[0]: each
            for each in trees.members(file, sounds)
            if _is_sound_file(each)
        }
        for number, line in lines(name, _unpacked(name, content)):
            cut = _object(name, f"line {number}", line)
            identity = str(cut.get("id", ""))
            said = _of_supervision(cut)
            shown = f"{name}, line {number}: {identity}"
            place = places.get(identity) or places.get(_of_recording(cut))
            if place is None:
                yield _item(shown, identity, said, fault=FileRefused(ImportRefusal.MISSING))
            else:
                read = partial(trees.read_section, file, place.offset, place.size)
                yield _item(shown, place.name, said, read=read)


def _of_recording(cut: dict[str, Any]) -> str:
    recording = cut.get("recording")
    return str(recording.get("id", "")) if isinstance(recording, dict) else ""


def recordings_of(cuts: str) -> str:
    """The tar that holds the sounds of a file of cuts.

    >>> recordings_of("train/cuts.000001.jsonl.gz")
    'train/recording.000001.tar'
    """
    folder, base = os.path.split(cuts)
    return os.path.join(folder, f"recording.{base.split('.')[1]}.tar")


def _is_sound_file(member: trees.Member) -> bool:
    return folders.is_audio(os.path.basename(member.name))


def _of_supervision(cut: dict[str, Any]) -> dict[str, str]:
    spoken = cut.get("supervisions")
    first = spoken[0] if isinstance(spoken, list) and spoken and isinstance(spoken[0], dict) else {}
    custom = [each["custom"] for each in (cut, first) if isinstance(each.get("custom"), dict)]
    row = {name: value for each in (*custom, first) for name, value in each.items()}
    return {field: first_of(row, *names) for field, names in _NAMES.items()}


def _unpacked(name: str, content: Content) -> Content:
    """The same, without compression."""
    if not name.endswith(".gz"):
        return content
    return lambda name: cast(BinaryIO, _Gunzipped(name, content(name)))


class _Gunzipped(gzip.GzipFile):
    """Raises BadSource where it is broken, or where far more comes out of it than any table has."""

    def __init__(self, shown: str, file: BinaryIO) -> None:
        super().__init__(fileobj=file)
        self.myfileobj = file  # type: ignore[assignment]  # is closed with this one
        self._shown, self._left = shown, MOST_UNPACKED

    def readline(self, size: int | None = -1) -> bytes:
        try:
            line = super().readline(-1 if size is None else size)
        except (EOFError, OSError, zlib.error) as error:
            raise BadSource(SourceFault.BROKEN_ARCHIVE, path=self._shown, error=error) from error
        self._left -= len(line)
        if self._left < 0:
            too_much = f"it unpacks to more than {MOST_UNPACKED / 2**30:g} GB"
            raise BadSource(SourceFault.BROKEN_ARCHIVE, path=self._shown, error=too_much)
        return line

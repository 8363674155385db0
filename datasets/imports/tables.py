"""What the tables among an import's files say of its recordings: the layouts of other collections. Pure.

Common Voice and others have tables with columns; LibriSpeech, NeMo, Kaldi and Precise have their own files.
"""

import json
import os
import unicodedata
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any, BinaryIO

from datasets.clips import manifests
from datasets.clips.sources import BadSource, FileRefused, ImportItem, SourceFault

from .refusals import SentFault

FEATURES = {"wav.scp", "text", "utt2spk", "utt2lang", "segments"}  # of Kaldi that are read
LABELS = {
    "wake-word": "wake-word",
    "wake-words": "wake-word",
    "not-wake-word": "not-wake-word",
    "not-wake-words": "not-wake-word",
}
BEGINNINGS = {
    "positive": "wake-word",
    "negative": "not-wake-word",
    "hard_negative": "not-wake-word",
    "near_miss": "not-wake-word",
}
TRANSCRIPTS = ".trans.txt"  # the end of LibriSpeech's names
JSON_LINES = (".json", ".jsonl")
TAGS = "tags.txt"
HOLDING_SOUNDS = (".parquet", ".tar", ".jsonl.gz")  # files that hold recordings, or the table of such a file
ENDINGS = (  # of the names of tables
    *sorted(manifests.SUFFIXES),
    *JSON_LINES,
    TRANSCRIPTS,
    TAGS,
    *HOLDING_SOUNDS,
)
SOFT_LABELS = "soft-labels.jsonl"
MADE = "made"  # as a voice
LONGEST_LINE = 2**20
BEST_TABLES = ("validated.tsv", "metadata.csv", "manifest.csv")  # of several, the first is proposed


class Layout(StrEnum):
    FILES = "files"  # recordings alone
    FOLDERS = "precise-folders"
    COLUMNS = "columns"
    LIBRISPEECH = "librispeech"
    NEMO = "nemo"
    KALDI = "kaldi"
    TAGS = "precise-tags"
    ARCHIVE = "archive"


@dataclass(frozen=True)
class Reading:
    """One way of understanding the files: a layout, and the table where several may be meant."""

    layout: Layout
    table: str = ""

    def __str__(self) -> str:
        return f"{self.layout}:{self.table}"

    @property
    def has_ids(self) -> bool:
        """Its rows name recordings without the end of the file's name."""
        return self.layout in {Layout.LIBRISPEECH, Layout.TAGS}


Content = Callable[[str], BinaryIO]  # of the file with this name, from its beginning


def is_table(name: str) -> bool:
    """Whether a file with this name may say something of recordings."""
    base = os.path.basename(name).casefold()
    return not base.startswith(".") and (base.endswith(ENDINGS) or base in FEATURES)


def readings(tables: Collection[str], sounds: Collection[str]) -> list[Reading]:
    """All ways in which these files can be understood, the likeliest first."""
    found = [Reading(Layout.COLUMNS, name) for name in _likeliest_first(tables) if _is_columns(name)]
    if any(name.endswith(TRANSCRIPTS) for name in tables):
        found.insert(0, Reading(Layout.LIBRISPEECH))
    kaldi = [Reading(Layout.KALDI, name) for name in sorted(tables) if os.path.basename(name) == "wav.scp"]
    tags = [Reading(Layout.TAGS, name) for name in sorted(tables) if name.casefold().endswith(TAGS)]
    is_archive = any(name.casefold().endswith((SOFT_LABELS, *HOLDING_SOUNDS)) for name in tables)
    archive = [Reading(Layout.ARCHIVE)] if is_archive else []
    objects = [name for name in sorted(tables) if name.casefold().endswith(JSON_LINES)]
    nemo = [Reading(Layout.NEMO, name) for name in objects if not name.endswith(SOFT_LABELS)]
    by_folder = [Reading(Layout.FOLDERS)] if any(label_of(name) for name in sounds) else []
    return [*archive, *kaldi, *tags, *found, *nemo, *by_folder, Reading(Layout.FILES)]


def items(
    reading: Reading, tables: Collection[str], content: Content, fields: tuple[str, ...] | None = None
) -> Iterator[ImportItem]:
    """What the tables say, a row each. Raises BadSource. Nothing for a layout without tables.

    `fields` are those chosen for the columns of a table.
    """
    match reading.layout:
        case Layout.COLUMNS:
            yield from manifests.items(held(reading, content, fields))
        case Layout.LIBRISPEECH:
            for name in sorted(name for name in tables if name.endswith(TRANSCRIPTS)):
                yield from _librispeech(name, content)
        case Layout.NEMO:
            yield from _nemo(reading.table, content)
        case Layout.KALDI:
            yield from _kaldi(reading.table, tables, content)
        case Layout.TAGS:
            yield from _tags(reading.table, content)


def held(reading: Reading, content: Content, fields: tuple[str, ...] | None = None) -> manifests.HeldManifest:
    """The table of a reading by columns."""
    return manifests.HeldManifest(reading.table, partial(content, reading.table), fields)


def of_name(reading: Reading, name: str) -> ImportItem:
    """What its name alone says of a recording, in a layout without tables."""
    truth = label_of(name) if reading.layout == Layout.FOLDERS else ""
    return ImportItem(name, name, truth=truth)


def _likeliest_first(tables: Collection[str]) -> list[str]:
    return sorted(tables, key=lambda name: (os.path.basename(name) not in BEST_TABLES, name))


def _is_columns(name: str) -> bool:
    return os.path.splitext(name)[1].lower() in manifests.SUFFIXES


def label_of(name: str) -> str:
    """What the nearest folder with a label's name says.

    >>> label_of("test/not-wake-word/a.wav"), label_of("hey/positive_train/b.wav"), label_of("a.wav")
    ('not-wake-word', 'wake-word', '')
    """
    folders = reversed(os.path.dirname(name).casefold().split("/"))
    return next(filter(None, map(_label_of_folder, folders)), "")


def _label_of_folder(folder: str) -> str:
    """Precise's folders have the label's name; those of openWakeWord begin so, such as positive_train."""
    beginning = next((label for start, label in BEGINNINGS.items() if folder.startswith(start)), "")
    return LABELS.get(folder, beginning)


def _librispeech(name: str, content: Content) -> Iterator[ImportItem]:
    """Lines of an utterance's id, SPEAKER-CHAPTER-NUMBER, and what is said."""
    for number, line in lines(name, content):
        utterance, text = _pair(line)
        speaker = utterance.partition("-")[0]
        path = os.path.join(os.path.dirname(name), utterance)
        yield ImportItem(_shown(name, number, utterance), path, speaker=speaker, transcript=text)


def _nemo(name: str, content: Content) -> Iterator[ImportItem]:
    """A JSON object each line."""
    for number, line in lines(name, content):
        try:
            row = json.loads(line)
        except ValueError:
            row = None
        if not isinstance(row, dict) or not isinstance(row.get("audio_filepath", row.get("file_name")), str):
            expected = '{"audio_filepath": …}'
            raise BadSource(SourceFault.BROKEN_LINE, path=name, line=number, expected=expected)
        yield _nemo_item(name, number, row)


def _nemo_item(name: str, number: int, row: Mapping[str, Any]) -> ImportItem:
    file = row.get("audio_filepath", row.get("file_name"))  # Hugging Face's name in such lines
    path = os.path.join(os.path.dirname(name), file.replace("\\", "/"))
    shown = _shown(name, number, file)
    said = first_of(row, "text", "transcript", "transcription", "sentence")
    if row.get("offset"):
        return ImportItem(shown, path, fault=FileRefused(SentFault.PART_OF_FILE))
    return ImportItem(
        shown,
        path,
        language=first_of(row, "lang", "language", "target_lang", "source_lang"),
        speaker=first_of(row, "speaker", "speaker_id"),
        transcript=said,
        truth=first_of(row, "label", "command") if not said else "",
        licence=first_of(row, "licence", "license"),
        voice=MADE if row.get("voice") == MADE else "",  # elsewhere it may be the name of a voice
    )


def first_of(row: Mapping[str, Any], *names: str) -> str:
    return next((str(row[name]) for name in names if row.get(name) not in (None, "")), "")


def _kaldi(name: str, tables: Collection[str], content: Content) -> Iterator[ImportItem]:
    """wav.scp has an utterance's id and its file; the tables beside it have the rest under the same id."""
    folder = os.path.dirname(name)
    if (segments := os.path.join(folder, "segments")) in tables:
        raise BadSource(SourceFault.SEGMENTS, path=segments)
    text, speakers, spoken = (
        _pairs(os.path.join(folder, table), tables, content) for table in ("text", "utt2spk", "utt2lang")
    )
    for number, line in lines(name, content):
        utterance, path = _pair(line)
        if not path:
            expected = "an id and a file"
            raise BadSource(SourceFault.BROKEN_LINE, path=name, line=number, expected=expected)
        shown = _shown(name, number, utterance)
        if path.endswith("|"):
            yield ImportItem(shown, utterance, fault=FileRefused(SentFault.PIPED))
            continue
        yield ImportItem(
            shown,
            os.path.join(folder, path),
            speaker=speakers.get(utterance, ""),
            transcript=text.get(utterance, ""),
            language=spoken.get(utterance, ""),
        )


def _pairs(name: str, tables: Collection[str], content: Content) -> dict[str, str]:
    if name not in tables:
        return {}
    return dict(_pair(line) for _, line in lines(name, content))


def _pair(line: str) -> tuple[str, str]:
    """An id, and what follows."""
    first, *rest = line.split(maxsplit=1)
    return first, rest[0].strip() if rest else ""


def _tags(name: str, content: Content) -> Iterator[ImportItem]:
    """Lines of an id and wake-word or not-wake-word, with a tab between."""
    for number, line in lines(name, content):
        identity, tab, tag = line.strip().partition("\t")
        if not tab or tag.strip() not in LABELS:
            expected = "an id, a tab, and wake-word or not-wake-word"
            raise BadSource(SourceFault.BROKEN_LINE, path=name, line=number, expected=expected)
        path = os.path.join(os.path.dirname(name), identity)
        yield ImportItem(_shown(name, number, identity), path, truth=LABELS[tag.strip()])


def lines(name: str, content: Content) -> Iterator[tuple[int, str]]:
    """The lines that are not empty, with their numbers."""
    with content(name) as file:
        for number, line in enumerate(_raw_lines(name, file), start=1):
            try:
                text = line.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
            except UnicodeDecodeError as error:
                raise BadSource(SourceFault.NOT_UTF_8, path=name, line=number, error=error.reason) from error
            if text.strip():
                yield number, text


def _raw_lines(name: str, file: BinaryIO) -> Iterator[bytes]:
    """Raises BadSource for a line of a megabyte: no row is as long, and a broken file may be one line."""
    number = 0
    while line := file.readline(LONGEST_LINE + 1):
        number += 1
        if len(line) > LONGEST_LINE:
            expected = f"a line of at most {LONGEST_LINE:,} bytes"
            raise BadSource(SourceFault.BROKEN_LINE, path=name, line=number, expected=expected)
        yield line


def _shown(table: str, line: int, name: str) -> str:
    return f"{os.path.basename(table)}, line {line}: {name}"


class Index:
    """Finds the file that a row means, among the names that were sent."""

    def __init__(self, names: Mapping[str, int]) -> None:
        """`names`: the number of each file by its path."""
        self._by_path = dict(names)
        self._by_stem: dict[str, int] = {}
        self._by_id: dict[str, int | None] = {}  # None: several files have this id
        for name, number in names.items():
            stem = os.path.splitext(name)[0]
            self._by_stem[stem] = number
            identity = os.path.basename(stem)
            self._by_id[identity] = None if identity in self._by_id else number

    def find(self, path: str, *, by_id: bool) -> int | None:
        """Also in the folder in which Common Voice keeps its files; and by the end of an absolute path."""
        clean = os.path.normpath(unicodedata.normalize("NFC", path))
        folder, name = os.path.split(clean)
        names = [clean, os.path.join(folder, "clips", name)]
        if os.path.isabs(clean) or clean[1:2] == ":":
            steps = clean.split("/")
            names += ["/".join(steps[step:]) for step in range(1, len(steps))]
        found = next((self._by_path[each] for each in names if each in self._by_path), None)
        if found is None and by_id:
            found = self._by_stem.get(clean) or self._by_id.get(name)
        return found

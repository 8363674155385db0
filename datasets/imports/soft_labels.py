"""What an archive of a release says of its recordings: soft-labels.jsonl, and under which licence. Pure.

Every format of an archive has these files, and the id of a recording in the name of its file. So labels,
speakers and licences come back as they were, also from a format that has no place for them.
"""

import json
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

from datasets import licences
from datasets.clips.sources import BadSource, FileRefused, ImportItem, ImportRefusal, SourceFault

from . import tables

NAME = tables.SOFT_LABELS
LICENCE_FILES = ("LICENSE.txt", "README.md")

_LABELS = {"yes", "similar", "no", "noise"}
_STATED = re.compile(r"^(?:SPDX-License-Identifier|license|licence):\s*(\S+)\s*$", re.MULTILINE)


class Said(NamedTuple):
    """What is said of one recording. Empty where nothing is."""

    answer: str
    is_words: bool  # the answer is a transcript, not a label
    speaker: str
    licence: str
    language: str
    wake_word: str


class SoftLabels:
    """The lines of soft-labels.jsonl by the ids of their recordings. Raises BadSource."""

    def __init__(self, path: str, lines: Iterable[tuple[int, str]]) -> None:
        """`lines` with their numbers; `path` is for messages."""
        self._said = {identity: said for identity, said in _read(path, lines)}
        self._unseen = set(self._said)

    def __len__(self) -> int:
        return len(self._said)

    def applied(self, item: ImportItem, asks_for_words: bool) -> ImportItem:
        """The item with what is said of its recording, or with a fault."""
        identity = self._id_of(str(item.path))
        if identity is None:
            return replace(item, fault=item.fault or FileRefused(ImportRefusal.NOT_LISTED))
        self._unseen.discard(identity)
        said = self._said[identity]
        is_other = said.is_words != asks_for_words
        return replace(
            item,
            fault=item.fault or (FileRefused(ImportRefusal.OTHER_KIND) if is_other else None),
            speaker=said.speaker or item.speaker,
            language=said.language or item.language,
            wake_word=said.wake_word,
            licence=said.licence or item.licence,
            truth="" if said.is_words else said.answer,
            transcript=said.answer if said.is_words else "",
        )

    def unseen(self) -> Iterator[ImportItem]:
        """An item with a fault for each recording that was not among those to which these were applied."""
        for identity in sorted(self._unseen):
            yield ImportItem(identity, identity, fault=FileRefused(ImportRefusal.MISSING))

    def _id_of(self, path: str) -> str | None:
        """The id in a file's name: the whole of it, or a part between hyphens or underscores."""
        stem = os.path.basename(path).split(".")[0]
        parts = re.split("[-_]", stem)
        ends = ("-".join(parts[start:]) for start in range(1, len(parts)))
        return next((each for each in (stem, *parts, *ends) if each in self._said), None)


def _read(path: str, lines: Iterable[tuple[int, str]]) -> Iterator[tuple[str, Said]]:
    kept: dict[str, str] = {}  # speakers and licences come again and again
    for number, line in lines:
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            row = None
        if not isinstance(row, dict) or not isinstance(row.get("id"), str) or not _has_answer(row):
            expected = '{"id": …, "answer": …}'
            raise BadSource(SourceFault.BROKEN_LINE, path=path, line=number, expected=expected)
        answer, is_words = _text(row, "answer"), _is_words(row)
        rest = (_text(row, name) for name in ("speaker", "licence", "language", "wake_word"))
        yield row["id"], Said(answer, is_words, *(kept.setdefault(text, text) for text in rest))


def _has_answer(row: dict[str, Any]) -> bool:
    """None is that of a recording whose words were taken back."""
    return "answer" in row and isinstance(row["answer"], str | None)


def _is_words(row: dict[str, Any]) -> bool:
    """Whether its answer is a transcript: it says so, or its evidence is of words, or it is no label."""
    soft = row.get("soft")
    evidence = soft if isinstance(soft, dict) else {}
    if "kind" in row:
        return bool(row["kind"] == "transcription")
    return "words" in evidence or row["answer"] not in _LABELS


def _text(row: dict[str, Any], name: str) -> str:
    value = row.get(name)
    return value.strip() if isinstance(value, str) else ""


def stated_licence(texts: Iterable[str]) -> str:
    """The licence that the first of these texts that names any names for all; empty if it names several.

    >>> stated_licence(["no word of it", "SPDX-License-Identifier: CC-BY-4.0\\n"])
    'CC-BY-4.0'
    >>> stated_licence(["---\\nlicense: cc0-1.0\\n---\\n"])
    'CC0-1.0'
    """
    for text in texts:
        if found := {licences.tidied(each) for each in _STATED.findall(text)}:
            return found.pop() if len(found) == 1 else ""
    return ""

"""Consent notices: the words that people agree to, in one file for each version and language.

`notice_texts/VERSION.LANGUAGE.md` has the text to read, with headings (`## `), points (`- `) and paragraphs,
and then one line for each box to tick (`[wake-word.volunteers] …`). The boxes are part of what is hashed,
because they are what people agree to. A published text is never edited. A change is a file with a higher
version in every language, and everyone is asked again.
"""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from pathlib import Path

from django.utils import timezone

from .models import ConsentNotice

FOLDER = Path(__file__).parent / "notice_texts"
DEFAULT_LANGUAGE = "en"  # for people whose language has no text
FIRST_WITH_EXAMPLES = 2  # the first version that says that a clip may be played as an example


class BadNotice(Exception):
    """The texts on disk cannot be shown to people. For operators: the message says which text and why."""


@dataclass(frozen=True)
class NoticeBlock:
    """A piece of a notice for a page to draw: `kind` is heading, points or paragraph."""

    kind: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class NoticeSection:
    """A heading and what is below it; the first section of a notice has no heading."""

    heading: str
    blocks: tuple[NoticeBlock, ...]


def current(language: str) -> ConsentNotice:
    """The newest notice in this language, stored when it is first needed. Raises BadNotice.

    Reads the clock: a notice counts as published when it is first shown to a person.
    """
    version = current_version()
    text = _texts(FOLDER).get((version, language))
    if text is None:
        raise BadNotice(f"There is no text {version}.{language}.md.")
    written = {"text": text, "sha256": hashlib.sha256(text.encode()).hexdigest()}
    notice, _made = ConsentNotice.objects.get_or_create(
        version=version, language=language, defaults=written | {"published_at": timezone.now()}
    )
    if notice.sha256 != written["sha256"]:
        raise BadNotice(
            f"{version}.{language}.md has other words than when it was published. Put the old text back, "
            f"and give the changed one a new version: {version + 1}.{language}.md."
        )
    return notice


def current_version() -> int:
    return max(version for version, _language in _texts(FOLDER))


def languages() -> list[str]:
    """The languages of the current notice, English first."""
    version = current_version()
    found = {language for number, language in _texts(FOLDER) if number == version}
    return sorted(found, key=lambda language: (language != DEFAULT_LANGUAGE, language))


def blocks(notice: ConsentNotice) -> list[NoticeBlock]:
    """The part to read.

    >>> blocks(ConsentNotice(text="## One\\n\\n- a\\n- b\\n\\n[give] Yes"))
    [NoticeBlock(kind='heading', lines=('One',)), NoticeBlock(kind='points', lines=('a', 'b'))]
    """
    lines = [line.strip() for line in notice.text.splitlines() if line.strip() and not line.startswith("[")]
    pieces = (_piece(line) for line in lines)
    found: list[NoticeBlock] = []
    for kind, group in groupby(pieces, key=lambda piece: piece[0]):
        words = tuple(words for _kind, words in group)
        if kind == "points":
            found.append(NoticeBlock(kind, words))
        else:
            found += [NoticeBlock(kind, (each,)) for each in words]
    return found


def sections(notice: ConsentNotice) -> list[NoticeSection]:
    """The part to read, by its headings.

    >>> [section.heading for section in sections(ConsentNotice(text="Read this.\\n## One\\na\\n## Two\\nb"))]
    ['', 'One', 'Two']
    """
    found: list[NoticeSection] = [NoticeSection("", ())]
    for block in blocks(notice):
        if block.kind == "heading":
            found.append(NoticeSection(block.lines[0], ()))
        else:
            found[-1] = NoticeSection(found[-1].heading, (*found[-1].blocks, block))
    return found


def boxes(notice: ConsentNotice) -> dict[str, str]:
    """The boxes to tick, by name.

    >>> boxes(ConsentNotice(text="Read this.\\n[give] Yes"))
    {'give': 'Yes'}
    """
    marked = (line[1:].split("]", 1) for line in notice.text.splitlines() if line.startswith("["))
    return {name: words.strip() for name, words in marked}


def _piece(line: str) -> tuple[str, str]:
    for mark, kind in (("## ", "heading"), ("- ", "points")):
        if line.startswith(mark):
            return kind, line.removeprefix(mark)
    return "paragraph", line


@lru_cache(maxsize=8)
def _texts(folder: Path) -> dict[tuple[int, str], str]:
    """Every text by version and language. Raises BadNotice if the newest version lacks a language."""
    texts = {}
    for path in sorted(folder.glob("*.md")):
        version, _, language = path.stem.partition(".")
        if not version.isdecimal() or not language:
            raise BadNotice(f"{path.name} must be named VERSION.LANGUAGE.md, such as 1.en.md.")
        texts[int(version), language] = path.read_text(encoding="utf-8")
    if not texts:
        raise BadNotice(f"There is no notice in {folder}.")
    newest = max(version for version, _language in texts)
    every = {language for _version, language in texts}
    if missing := sorted(language for language in every if (newest, language) not in texts):
        raise BadNotice(f"Version {newest} of the notice lacks: {', '.join(missing)}.")
    return texts

"""Consent notices: the words that people agree to, in one file for each version and language.

`notice_texts/VERSION.LANGUAGE.md` has the text to read, with headings (`## `), points (`- `) and paragraphs,
and then one line for each box to tick (`[wake-word.volunteers] …`). The boxes are part of what is hashed,
because they are what people agree to. A published text is never edited. A change is a file with a higher
version in every language, and everyone is asked again.

A purpose may be added without a change: its words and its box are then in a supplement,
`VERSION.LANGUAGE.PURPOSE.md`. The notice stays as it is, and no one is asked again for what they agreed to.
"""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from pathlib import Path

from django.utils import timezone

from .models import ConsentNotice, Purpose

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
    """A heading and what is below it; what stands before the first heading has none."""

    heading: str
    blocks: tuple[NoticeBlock, ...]


def current(language: str) -> ConsentNotice:
    """The newest notice in this language, stored when it is first needed. Raises BadNotice.

    Reads the clock: a notice counts as published when it is first shown to a person.
    """
    return _published(current_version(), language)


def supplements(language: str) -> list[ConsentNotice]:
    """Those of the current notice, stored when they are first needed. Raises BadNotice."""
    version = current_version()
    found = {purpose for number, _language, purpose in _texts(FOLDER) if number == version and purpose}
    return [_published(version, language, purpose) for purpose in sorted(found)]


def current_version() -> int:
    return max(version for version, _language, purpose in _texts(FOLDER) if not purpose)


def languages() -> list[str]:
    """The languages of the current notice, English first."""
    version = current_version()
    found = {language for number, language, _purpose in _texts(FOLDER) if number == version}
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
    return [section for section in found if section.heading or section.blocks]


def boxes(notice: ConsentNotice) -> dict[str, str]:
    """The boxes to tick, by name.

    >>> boxes(ConsentNotice(text="Read this.\\n[give] Yes"))
    {'give': 'Yes'}
    """
    marked = (line[1:].split("]", 1) for line in notice.text.splitlines() if line.startswith("["))
    return {name: words.strip() for name, words in marked}


def _published(version: int, language: str, purpose: str = "") -> ConsentNotice:
    text, name = _texts(FOLDER).get((version, language, purpose)), _file_name(version, language, purpose)
    if text is None:
        raise BadNotice(f"There is no text {name}.")
    written = {"text": text, "sha256": hashlib.sha256(text.encode()).hexdigest()}
    notice, _made = ConsentNotice.objects.get_or_create(
        version=version,
        language=language,
        purpose=purpose,
        defaults=written | {"published_at": timezone.now()},
    )
    if notice.sha256 != written["sha256"]:
        raise BadNotice(
            f"{name} has other words than when it was published. Put the old text back, and give the changed "
            f"one a new version: {_file_name(version + 1, language, purpose)}."
        )
    return notice


def _file_name(version: int, language: str, purpose: str) -> str:
    return ".".join(filter(None, (str(version), language, purpose, "md")))


def _piece(line: str) -> tuple[str, str]:
    for mark, kind in (("## ", "heading"), ("- ", "points")):
        if line.startswith(mark):
            return kind, line.removeprefix(mark)
    return "paragraph", line


@lru_cache(maxsize=8)
def _texts(folder: Path) -> dict[tuple[int, str, str], str]:
    """Every text by version, language and, for a supplement, purpose.

    Raises BadNotice if the newest notice or one of its supplements lacks a language.
    """
    texts = {_key(path): path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.md"))}
    if all(purpose for _version, _language, purpose in texts):
        raise BadNotice(f"There is no notice in {folder}.")
    newest = max(version for version, _language, purpose in texts if not purpose)
    every = {language for _version, language, _purpose in texts}
    for of in sorted({purpose for version, _language, purpose in texts if version == newest}):
        if missing := sorted(language for language in every if (newest, language, of) not in texts):
            part = f"The supplement “{of}” to version {newest}" if of else f"Version {newest}"
            raise BadNotice(f"{part} of the notice lacks: {', '.join(missing)}.")
    return texts


def _key(path: Path) -> tuple[int, str, str]:
    """Version, language and purpose, from the name of a file."""
    version, _, rest = path.stem.partition(".")
    language, _, purpose = rest.partition(".")
    if not version.isdecimal() or not language:
        raise BadNotice(f"{path.name} must be named VERSION.LANGUAGE.md, such as 1.en.md.")
    if purpose not in ("", *Purpose.values):
        raise BadNotice(f"{path.name} is a supplement, but there is no purpose “{purpose}”.")
    return int(version), language, purpose

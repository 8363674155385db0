"""Pieces of Markdown: text that somebody typed, tables, lengths of time, shares."""

import re
import unicodedata
from collections.abc import Iterable

# CommonMark takes a backslash before any of these.
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~!$&])")
# They would turn the text after them round.
_DIRECTIONS = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_UNPRINTABLE = {"Cc", "Cs", "Cn"}


def one_line(text: str) -> str:
    """The text on one line, without characters that control a terminal or a parser.

    >>> one_line("a\\n---\\x1b[31m\\u202eb")
    'a ---[31mb'
    """
    # Line breaks are control characters, too, but become spaces.
    kept = (char for char in text if char.isspace() or not _is_control(char))
    return " ".join("".join(kept).split())


def _is_control(char: str) -> bool:
    return char in _DIRECTIONS or unicodedata.category(char) in _UNPRINTABLE


def inline(text: str) -> str:
    """Somebody's text inside a line: no character of it is Markdown or HTML.

    >>> inline("<b>#1 | 2</b>")
    '\\\\<b\\\\>\\\\#1 \\\\| 2\\\\</b\\\\>'
    """
    return _SPECIAL.sub(r"\\\1", one_line(text))


def quoted(text: str) -> str:
    """Somebody's text of several lines as a quotation; empty lines at its ends are left out."""
    lines = [inline(line) for line in text.strip().splitlines()]
    return "".join(f"> {line}\n" if line else ">\n" for line in lines)


def grid(head: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> str:
    """A table; its cells are Markdown already."""
    return "".join(f"| {' | '.join(map(str, row))} |\n" for row in (head, ("---",) * len(head), *rows))


def bullets(sentences: Iterable[str]) -> str:
    return "".join(f"- {sentence}\n" for sentence in sentences)


def paragraphs(*texts: str) -> str:
    """The texts that are not empty, with an empty line between them."""
    return "\n\n".join(text.strip("\n") for text in texts if text.strip()) + "\n"


def duration(seconds: float) -> str:
    """
    >>> duration(7384.2)
    '2:03:04'
    """
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"


def share(part: float, whole: float = 1.0) -> str:
    """
    >>> share(1, 8), share(0.034), share(0, 0)
    ('12.5%', '3.4%', '0.0%')
    """
    return f"{part / whole if whole else 0.0:.1%}"


def number(count: int, one: str, several: str) -> str:
    """
    >>> number(1, "clip", "clips"), number(1200, "clip", "clips")
    ('1 clip', '1,200 clips')
    """
    return f"{count:,} {one if count == 1 else several}"


def listed(names: Iterable[str]) -> str:
    """
    >>> listed(["es", "en"]), listed([])
    ('en, es', 'none')
    """
    return ", ".join(sorted(names)) or "none"

"""The licence of an archive in short, and the texts of the licences that occur in it."""

import re
from functools import cache
from pathlib import Path

from datasets import licences as known

from .about import About, Origin
from .markdown import duration, number, one_line, share
from .statements import NOT_STATED, by_size

# Full texts, each as a Debian package carries it; README.md there says which.
TEXTS = Path(__file__).with_name("licence_texts")

_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+-]*")

_MIXED = """\
There is no one licence for this release as a whole. `licence` in soft-labels.jsonl gives that of each clip;
where it is empty, none was stated, and you may do only what the law allows without one."""

_PEOPLE = """\
The licence is about copyright. It takes nothing from the people whose voices these are: their
rights over their own data stay with them, and a clip that one of them withdraws must be deleted."""


def licences(about: About) -> str:
    """LICENSE.txt: the licence of the whole or that each clip has its own, and the share of each source.

    static/downloads/clean_copy.py reads the first "Withdrawn clips" in it and every line "As of the feed of".
    So titles of collections, which people typed, come after these, and never at the end of a line.
    """
    as_of = f"\nAs of the feed of {about.as_of}" if about.as_of else ""
    recalls = f"{_PEOPLE}\nWithdrawn clips: {about.recalls}{as_of}"
    spelled = about.spelled(one_line)
    parts = [_expression(about), _whole(about), recalls, _sources(spelled)]
    return "\n\n".join(part for part in parts if part) + "\n"


def texts(about: About) -> dict[str, str]:
    """LICENSES/….txt by path: for each licence that occurs, its text, or in short where that is found.

    A licence whose identifier cannot be a file's name gets no file; LICENSE.txt names it.
    """
    named = (each for each in about.licences if _FILE_NAME.fullmatch(each))
    return {f"LICENSES/{licence}.txt": _text(licence) for licence in named}


def address(licence: str) -> str:
    """Where the full text is; empty for one that is not on SPDX's list.

    >>> address("CC-BY-4.0"), address("LicenseRef-ours")
    ('https://spdx.org/licenses/CC-BY-4.0.html', '')
    """
    is_listed = _FILE_NAME.fullmatch(licence) and not licence.startswith(known.OWN)
    return f"https://spdx.org/licenses/{licence}.html" if is_listed else ""


def _expression(about: About) -> str:
    """One of SPDX, for programs; none while a source's licence is unknown and the whole has none."""
    if about.licence:
        return f"SPDX-License-Identifier: {about.licence}"
    if not about.licences or any(not origin.licence for origin in about.origins):
        return ""
    return f"SPDX-License-Identifier: {' AND '.join(about.licences)}"


def _whole(about: About) -> str:
    return _in_short(about.licence) if about.licence else _MIXED


def _in_short(licence: str) -> str:
    terms = known.TERMS.get(licence, "")
    if full := address(licence):
        return f"{terms or 'The full text says what is allowed.'}\n\nFull text: {full}"
    return terms or f"{licence} is not a standard licence: whoever brought its collection gave it that name."


def _sources(about: About) -> str:
    lines = [_share(origin, about) for origin in by_size(about.origins)]
    return "\n".join(["Sources and their licences:", *lines]) if lines else ""


def _share(origin: Origin, about: About) -> str:
    """One line: how much came in which way under which licence."""
    clips = sum(each.clips for each in about.origins)
    named = f"import, {origin.collection}" if origin.collection else origin.source
    return (
        f"- {named}: {origin.licence or NOT_STATED}, {number(origin.clips, 'clip', 'clips')} "
        f"({share(origin.clips, clips)}), {duration(origin.seconds)}"
    )


@cache
def _text(licence: str) -> str:
    path = TEXTS / f"{licence}.txt"
    return path.read_text("utf-8") if path.is_file() else f"{licence}\n\n{_in_short(licence)}\n"

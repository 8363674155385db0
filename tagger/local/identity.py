"""How a home knows itself: by a mark inside it, not by its path.

The mark is a random id and the path at the last start. PostgreSQL's data, which may be outside the home, has
the same mark. So a home that was moved finds its data, a new home at the path of a removed one does not, and
of two copies of one home only one runs.
"""

import re
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from . import durable
from .refusal import StartRefused

NAME = "home.json"


@dataclass(frozen=True)
class Mark:
    """`id`: 32 hexadecimal digits; `path`: the real path of the home, without symbolic links."""

    id: str
    path: str


def settle(home: Path) -> Mark:
    """The mark of this home; written if it has none, or if the home was moved.

    A mark that is empty or damaged is restored from the one in PostgreSQL's data. Raises StartRefused if the
    home, or the data that it is linked to, has a twin: a home elsewhere with the same mark.
    """
    here = home.resolve()
    own, of_data = read(home), read(data(home))
    for found in filter(None, (own, of_data)):
        refuse_twin(found, home)
    known = own or of_data
    mark = Mark(known.id if known else secrets.token_hex(16), str(here))
    if mark != own:
        write(home, mark)
    return mark


def read(folder: Path) -> Mark | None:
    """The mark in a home or in PostgreSQL's data; None if there is none, or if it is damaged."""
    record = durable.read_record(folder / NAME)
    id, path = record.get("id"), record.get("path")
    if isinstance(id, str) and re.fullmatch(r"[0-9a-f]{32}", id) and isinstance(path, str):
        return Mark(id, path)
    return None


def write(folder: Path, mark: Mark, mode: int = 0o600) -> None:
    durable.write_record(folder / NAME, asdict(mark), mode)


def data(home: Path) -> Path:
    """PostgreSQL's data: a folder in the home, or a symbolic link to one outside of it."""
    return home / "postgres"


def refuse_twin(mark: Mark, home: Path) -> None:
    """Raises StartRefused if another home, at the mark's path, has the same id."""
    if twin := _twin(mark, home):
        raise StartRefused(refusal(home, twin))


def refusal(here: Path, twin: Path) -> str:
    """Why only one of the two may run."""
    return (
        f"TAGGER_HOME {here} and {twin} are copies of one home, and only one of them may run: to run this"
        f" one, first stop and remove {twin}, or move it away; to start a new site, choose an empty folder:"
        " TAGGER_HOME=/some/folder make run"
    )


def _twin(mark: Mark, here: Path) -> Path | None:
    """The home at the mark's path, if it is another one that knows itself by the same id.

    If this account cannot look there, the home counts as moved: it must be able to run where it is now.
    """
    there = Path(mark.path)
    try:
        if not there.is_dir() or there.samefile(here):
            return None
        theirs = read(there) or read(data(there))
    except OSError:
        return None
    return there if theirs is not None and theirs.id == mark.id else None

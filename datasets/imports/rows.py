"""What a row of a table says of a recording, and why one is refused, as they wait sealed with its file."""

from typing import Any

from accounts.refusals import Refusal
from datasets.clips.sources import ImportItem
from datasets.models import Import, ImportFile

from . import sealing

# What a row may say of a recording, besides which file it is.
FIELDS = ("speaker", "language", "wake_word", "truth", "transcript", "draft", "licence", "voice")
State, Kind = ImportFile.State, ImportFile.Kind


def said_of(item: ImportItem) -> dict[str, str]:
    """What the row says, without what it leaves empty."""
    return {name: getattr(item, name) for name in FIELDS if getattr(item, name)}


def refuse(key: bytes, file: ImportFile, why: Refusal) -> ImportFile:
    """Keep of a file its name and why it was refused, and nothing else. Does not save."""
    file.state = State.REFUSED
    kept = {"name": sealing.about_file(key, file)["name"], "refusal": described(why)}
    file.sealed_about = sealing.sealed_file(key, file.run_id, file.mark, kept)
    return file


def refused_row(run: Import, key: bytes, item: ImportItem, why: Refusal) -> ImportFile:
    """A row without a file of its own, to be counted and named among the refused. Does not save."""
    mark = sealing.mark(key, "row", item.name)
    about: dict[str, Any] = {"name": item.name, "refusal": described(why)}
    row = ImportFile(run=run, mark=mark, kind=Kind.SOUND, state=State.REFUSED, size=0)
    row.sealed_about = sealing.sealed_file(key, run.pk, mark, about)
    return row


def described(why: Refusal) -> list[Any]:
    """A refusal as JSON: its code, and its parameters as far as JSON can say them."""
    said = {n: v if isinstance(v, int | float | str) else str(v) for n, v in why.parameters.items()}
    return [str(why.code), said]

"""Small files of state that are complete on disk, whatever happens while they are written.

`install.py` runs this file by its path, before anything is installed: it needs the standard library alone.
"""

import json
import os
from pathlib import Path
from typing import Any


def write(path: Path, text: str, mode: int = 0o600) -> None:
    """Replace the file; the new one is on disk when this returns.

    If this is interrupted, or the power is cut, the file has either its old or its new content. Only one
    process at a time may write to `path`.
    """
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        os.fchmod(file.fileno(), mode)  # regardless of the umask
        file.write(text)
        file.flush()
        os.fsync(file.fileno())  # before the rename, which could otherwise reach the disk before the content
    draft.replace(path)
    sync(path.parent)


def read(path: Path) -> str:
    """The file's text; empty if there is no such file, or if it is not text."""
    try:
        return path.read_text(encoding="utf-8")
    except (FileNotFoundError, UnicodeDecodeError):
        return ""


def read_record(path: Path) -> dict[str, Any]:
    """The file's JSON object; empty if there is none: no such file, or an empty, torn or other one."""
    try:
        record = json.loads(read(path))
    except (ValueError, RecursionError):
        return {}
    return record if isinstance(record, dict) else {}


def write_record(path: Path, record: dict[str, Any], mode: int = 0o600) -> None:
    """As `write`, with a JSON object."""
    write(path, json.dumps(record), mode)


def make_folder(path: Path, mode: int) -> None:
    """Create the folder, if necessary with its parents, and make their names durable."""
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    path.mkdir(parents=True)
    path.chmod(mode)
    for folder in missing:
        sync(folder.parent)


def sync(folder: Path) -> None:
    """Wait until the names in the folder are on disk: new files, removed ones, renamed ones."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

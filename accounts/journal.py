"""The opt-out journal: what people ended here, in a file beside the keys. Every restore carries it out again.

A backup was made before some people left; restored, it would bring them back. So each act that ends something
is written here before it is committed: one line of JSON, on disk when `append` returns. It names people,
consents and tokens as the database does, by numbers and hashes, and clips by the random names of their files.

A line counts unless the journal calls it void. Of an act whose transaction failed, the sweep says so an hour
later (`pending`); if the site is restored before that, what was asked for is carried out.
"""

import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any

from django.db import transaction

from . import keyring

Entry = dict[str, Any]


class JournalTorn(Exception):
    """A line in the middle of the journal cannot be read; the text says which."""


def append(kind: str, now: datetime, **details: Any) -> None:
    """Write one entry before its transaction commits; afterwards it is confirmed."""
    name = secrets.token_hex(8)
    _write({"id": name, "kind": kind, "written_at": now, **details})
    transaction.on_commit(lambda: _write({"done": name}), robust=True)


def confirm(entry: Entry) -> None:
    _write({"done": entry["id"]})


def void(entry: Entry) -> None:
    """Its transaction was never committed."""
    _write({"void": entry["id"]})


def size() -> int:
    """In bytes; it only grows."""
    try:
        return _path().stat().st_size
    except FileNotFoundError:
        return 0


def entries() -> list[Entry]:
    """All entries that are not void, in the order in which they were written. Raises JournalTorn."""
    found = list(_lines())
    void_ones = {line["void"] for line in found if "void" in line}
    return [line for line in found if "kind" in line and line["id"] not in void_ones]


def confirmed() -> list[Entry]:
    """Entries whose act was committed."""
    done = {line["done"] for line in _lines() if "done" in line}
    return [entry for entry in entries() if entry["id"] in done]


def pending(before: datetime) -> list[Entry]:
    """Entries written before this time that were neither confirmed nor called void."""
    done = {line["done"] for line in _lines() if "done" in line}
    waiting = (entry for entry in entries() if entry["id"] not in done)
    return [entry for entry in waiting if datetime.fromisoformat(entry["written_at"]) < before]


def _lines() -> Iterator[Entry]:
    try:
        lines = _path().read_bytes().split(b"\n")
    except FileNotFoundError:
        return
    for number, line in enumerate(lines, start=1):
        try:
            yield from [json.loads(line)] if line.strip() else []
        except ValueError:
            # Only a write that was killed leaves a torn line; its act was never committed.
            if number < len(lines) and not line.startswith(b'{"'):
                raise JournalTorn(f"line {number} of {_path()} is not JSON") from None


def _write(line: Entry) -> None:
    with _locked() as handle:
        end = os.lseek(handle, 0, os.SEEK_END)
        is_torn = end > 0 and os.pread(handle, 1, end - 1) != b"\n"
        content = json.dumps(line, default=_plain, separators=(",", ":")) + "\n"
        left = memoryview((b"\n" if is_torn else b"") + content.encode())
        while left:
            left = left[os.write(handle, left) :]
        os.fsync(handle)


def _plain(value: Any) -> str:
    """Times to the microsecond, as the receipts have them."""
    return value.isoformat() if isinstance(value, date) else str(value)


@contextmanager
def _locked() -> Iterator[int]:
    keyring.folder().mkdir(mode=0o700, parents=True, exist_ok=True)
    is_new = not _path().exists()
    handle = os.open(_path(), os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield handle
        if is_new:
            keyring.sync(keyring.folder())
    finally:
        os.close(handle)


def _path() -> Path:
    return keyring.folder() / "journal.jsonl"

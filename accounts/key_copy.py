"""The copy of the key table beside the master keys, never part of a database backup.

With it, a database restored from a backup opens for everyone who stayed: such a backup holds keys wrapped by
a master key that was destroyed since. When a person's data key was replaced, it also holds their ciphertext
under the old data key, which nothing opens any more; so for them the copy has that ciphertext under the
present key too. Whoever left, and every clip that was deleted, is not in it.

It is an SQLite file: what a change does not touch is not written again, and a change that is killed leaves
the file as it was (https://www.sqlite.org/atomiccommit.html). What is deleted is overwritten.
"""

import json
import os
import sqlite3
from base64 import b64decode, b64encode
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from django.db.models import prefetch_related_objects

from . import keyring
from .factors import authenticators
from .models import Consent, DataKey, Device, User

# {"person": …} or {"clip": …, "contributor": …}, with sealed bytes in base64.
Line = dict[str, Any]
BATCH_SIZE = 1_000
SECONDS_TO_WAIT = 60

SCHEMA = """
CREATE TABLE IF NOT EXISTS person (person INTEGER PRIMARY KEY, master TEXT, line TEXT) STRICT;
CREATE INDEX IF NOT EXISTS person_by_master ON person (master);
CREATE TABLE IF NOT EXISTS clip (clip TEXT PRIMARY KEY, contributor INTEGER, line TEXT) STRICT;
CREATE INDEX IF NOT EXISTS clip_by_contributor ON clip (contributor);
"""


def put(lines: Iterable[Line]) -> None:
    """Add these lines, or replace those of the same people and clips. On disk when this returns.

    Call it under `DataKeys.lock_copy`, taken before the lines were read and held until they are committed.
    """
    with _opened() as copy:
        _put(copy, lines)


def replace(people: Collection[int], lines: Iterable[Line]) -> None:
    """Make these the only lines of these people. As `put`."""
    with _opened() as copy:
        for person in people:
            copy.execute("DELETE FROM person WHERE person = ?", [person])
            copy.execute("DELETE FROM clip WHERE contributor = ?", [person])
        _put(copy, lines)


def read() -> Iterator[Line]:
    """All lines, people first. Nothing if there is no copy yet."""
    if not (_path().exists() or _older_path().exists()):
        return
    with _opened() as copy:
        for table in ("person", "clip"):
            for (line,) in copy.execute(f"SELECT line FROM {table} ORDER BY 1"):
                yield json.loads(line)


def of_person(person: int) -> Line | None:
    with _opened() as copy:
        found = copy.execute("SELECT line FROM person WHERE person = ?", [person]).fetchone()
    return json.loads(found[0]) if found else None


def generations(first: int, last: int) -> dict[int, tuple[str, int]]:
    """The master and the generation of each copied person from number `first` to `last`."""
    with _opened() as copy:
        query = "SELECT line FROM person WHERE person BETWEEN ? AND ?"
        lines = [json.loads(line) for (line,) in copy.execute(query, [first, last])]
    return {line["person"]: (line["master"], line["generation"]) for line in lines}


def masters() -> set[str]:
    """The names of all master keys that are needed to open the copy."""
    with _opened() as copy:
        return {name for (name,) in copy.execute("SELECT DISTINCT master FROM person")}


def person_lines(people: Collection[int]) -> Iterator[Line]:
    """The lines of these people, as the database has them now."""
    rows = DataKey.objects.filter(person__in=people, unreadable_since=None)
    found = list(rows.select_related("person").order_by("person_id"))
    prefetch_related_objects(
        [row for row in found if _is_replaced(row)],
        *("person__devices", "person__consents", "person__authenticator_set"),
    )
    for row in found:
        yield _line(row)


def restore_person(line: Line) -> bool:
    """Put one person's line into a database restored from a backup.

    Returns whether the backup was made before the person's data key was replaced.
    """
    row = DataKey.objects.filter(person=line["person"], generation__lte=line["generation"]).first()
    if row is None:
        return False
    is_older = row.generation < line["generation"]
    row.wrapped, row.master, row.generation = b64decode(line["wrapped"]), line["master"], line["generation"]
    row.unreadable_since = None
    row.save()
    if "username" in line:  # the backup has it under a master key that is gone
        User.objects.filter(pk=row.person_id).update(username=line["username"])
    if is_older:
        User.objects.filter(pk=row.person_id).update(
            sealed_name=b64decode(line["name"]), sealed_email=b64decode(line["email"])
        )
        for uuid, about in line["devices"].items():
            Device.objects.filter(uuid=uuid).update(sealed_about=b64decode(about))
        authenticators.restore(line["person"], line.get("factors", {}))
        for pk, reference in line["references"].items():
            given = Consent.objects.filter(pk=pk, contributor=row.person_id)
            given.update(sealed_reference=b64decode(reference))
    return is_older


def from_base64(text: str) -> bytes:
    return b64decode(text)


def as_base64(sealed: bytes | memoryview) -> str:
    return b64encode(bytes(sealed)).decode()


def _is_replaced(row: DataKey) -> bool:
    """Whether the copy needs what is sealed under this data key, because older backups have another."""
    return row.generation > 1


def _line(row: DataKey) -> Line:
    line: Line = {
        "person": row.person_id,
        "username": row.person.username,
        "master": row.master,
        "generation": row.generation,
        "wrapped": as_base64(row.wrapped),
    }
    if not _is_replaced(row):
        return line
    return line | {
        "name": as_base64(row.person.sealed_name),
        "email": as_base64(row.person.sealed_email),
        "devices": {str(each.uuid): as_base64(each.sealed_about) for each in row.person.devices.all()},
        "factors": authenticators.stored_of(row.person),
        "references": {
            str(each.pk): as_base64(each.sealed_reference)
            for each in row.person.consents.all()
            if each.sealed_reference
        },
    }


def _put(copy: sqlite3.Connection, lines: Iterable[Line]) -> None:
    for line in lines:
        if "person" in line:
            values = [line["person"], line["master"], json.dumps(line)]
            copy.execute("INSERT OR REPLACE INTO person VALUES (?, ?, ?)", values)
        else:
            values = [line["clip"], line["contributor"], json.dumps(line)]
            copy.execute("INSERT OR REPLACE INTO clip VALUES (?, ?, ?)", values)


@contextmanager
def _opened() -> Iterator[sqlite3.Connection]:
    """The copy in a transaction, which is committed and on disk at the end."""
    _make()
    copy = sqlite3.connect(_path(), timeout=SECONDS_TO_WAIT, isolation_level=None)
    try:
        copy.execute("PRAGMA synchronous = EXTRA")
        copy.execute("PRAGMA secure_delete = ON")
        copy.execute("BEGIN IMMEDIATE")
        _import_older(copy)
        yield copy
        copy.execute("COMMIT")
        _older_path().unlink(missing_ok=True)
    finally:
        copy.close()  # rolls back what was not committed


def _make() -> None:
    if _path().exists():
        return
    keyring.folder().mkdir(mode=0o700, parents=True, exist_ok=True)
    with suppress(FileExistsError):
        os.close(os.open(_path(), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


def _import_older(copy: sqlite3.Connection) -> None:
    for statement in SCHEMA.split(";"):
        copy.execute(statement)
    with suppress(FileNotFoundError), _older_path().open() as lines:
        _put(copy, map(json.loads, lines))


def _path() -> Path:
    return keyring.folder() / "copy.sqlite3"


def _older_path() -> Path:
    """The copy as a site made it before 2027: lines of JSON."""
    return keyring.folder() / "wrapped.json"

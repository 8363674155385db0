"""Key rotation: re-wrap every data key by a new master key, verify, then destroy the old master key.

Deleting a person's wrapped data key is not enough: an old database backup still has it, and the master key
that wrapped it would still open it. Destroying that master key makes the wrapped keys in every old backup
useless. For everyone who stayed there is one copy of the key table, always the newest, stored beside the
master keys and never part of a database backup.
"""

import json
import os
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from . import ciphers
from .models import Consent, DataKey, Device, User

Line = dict[str, Any]
# A request that read its row just before the rotation may still be about to read the old master's file.
GRACE = timedelta(seconds=60)
BATCH_SIZE = 5_000


class NotVerified(Exception):
    """A re-wrapped key did not open to the same bytes; nothing was changed and no master was destroyed."""


def rotate_master_key(extra_lines: Iterable[Line] = ()) -> int:
    """Re-wrap every data key by a new master key; returns how many. Raises NotVerified.

    `extra_lines` go into the key copy, see `write_copy`. If killed at any point, it leaves the old masters
    in place and can be run again.
    """
    with transaction.atomic():
        DataKey.objects.lock_master(exclusive=True)
        ciphers.make_next_master()
        rows = DataKey.objects.order_by("pk")
        wrapped = 0
        for row in rows.iterator(chunk_size=BATCH_SIZE):
            key = row.open()
            row.wrap(key)
            if row.open() != key:
                raise NotVerified(f"data key {row.pk}")
            row.save(update_fields=["wrapped", "master"])
            wrapped += 1
    write_copy(extra_lines)
    return wrapped


def destroy_unused_masters(now: datetime) -> list[str]:
    """Destroy every master key that no longer wraps anything, once `GRACE` has passed since the rotation.

    Returns their names.
    """
    with transaction.atomic():
        DataKey.objects.lock_master(exclusive=True)
        newest = ciphers.current_master()
        in_use = set(DataKey.objects.values_list("master", flat=True).distinct()) | {newest}
        unused = [name for name in ciphers.masters() if name not in in_use]
        if unused and now - ciphers.made_at(newest) >= GRACE:
            for name in unused:
                ciphers.destroy(name)
            return unused
    return []


def write_copy(extra_lines: Iterable[Line] = ()) -> Path:
    """Replace the copy of the key table, beside the master keys and outside the database's backups.

    When a person's data key was replaced, older backups hold their ciphertext under the old key, which
    nothing opens any more. So for them the copy also holds that ciphertext under the present key: name,
    address, devices and consent references, and `extra_lines` for what the caller stores under data keys.
    The caller's lines are read under the copy's lock.
    """
    path: Path = settings.MASTER_KEYS / "wrapped.json"
    draft = path.with_suffix(".new")
    with transaction.atomic():
        # Writers take turns, each reading what was committed before it: the last copy written is the newest.
        DataKey.objects.lock_copy()
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.writelines(json.dumps(line) + "\n" for line in chain(_lines(), extra_lines))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    return path


def read_copy() -> Iterator[Line]:
    """The lines of the copy, people first."""
    with (settings.MASTER_KEYS / "wrapped.json").open() as file:
        yield from map(json.loads, file)


def restore_person(line: Line) -> bool:
    """Put one person's line of the copy into a database restored from a backup.

    Returns whether the backup was made before the person's data key was replaced.
    """
    row = DataKey.objects.filter(person=line["person"], generation__lte=line["generation"]).first()
    if row is None:
        return False
    is_older = row.generation < line["generation"]
    row.wrapped, row.master, row.generation = b64decode(line["wrapped"]), line["master"], line["generation"]
    row.save()
    if is_older:
        User.objects.filter(pk=row.person_id).update(
            sealed_name=b64decode(line["name"]), sealed_email=b64decode(line["email"])
        )
        for uuid, about in line["devices"].items():
            Device.objects.filter(uuid=uuid).update(sealed_about=b64decode(about))
        for pk, reference in line["references"].items():
            given = Consent.objects.filter(pk=pk, contributor=row.person_id)
            given.update(sealed_reference=b64decode(reference))
    return is_older


def as_base64(sealed: bytes | memoryview) -> str:
    return b64encode(bytes(sealed)).decode()


def _lines() -> Iterator[Line]:
    rows = (
        DataKey.objects.select_related("person")
        .prefetch_related("person__devices", "person__consents")
        .order_by("person_id")
    )
    for row in rows.iterator(chunk_size=BATCH_SIZE):
        line = {
            "person": row.person_id,
            "master": row.master,
            "generation": row.generation,
            "wrapped": as_base64(row.wrapped),
        }
        if row.generation > 1:
            line |= {
                "name": as_base64(row.person.sealed_name),
                "email": as_base64(row.person.sealed_email),
                "devices": {
                    str(each.uuid): as_base64(each.sealed_about) for each in row.person.devices.all()
                },
                "references": {
                    str(each.pk): as_base64(each.sealed_reference)
                    for each in row.person.consents.all()
                    if each.sealed_reference
                },
            }
        yield line

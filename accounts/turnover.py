"""The master key turns over: survivors are wrapped anew, verified, and the old master is destroyed.

Deleting a wrapped key alone is a sham: last week's dump still holds it, and a master key that lives on opens
it. So every dump's wrapped keys are made useless by destroying the master they were wrapped by, and whoever
stayed is found in one newest-only copy of the key table that lies beside the master keys, never in a dump.
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
# A request that read its row just before the turn-over may still be about to read the old master's file.
GRACE = timedelta(seconds=60)
AT_ONCE = 5_000


class NotVerified(Exception):
    """A key does not open as before; nothing was changed and no master was destroyed."""


def turn_over(more: Iterable[Line] = ()) -> int:
    """Wrap every data key by a new master; how many those were. Raises NotVerified.

    `more` goes into the copy, see `back_up`. Killed anywhere, it leaves the old masters in place and is
    simply done again.
    """
    with transaction.atomic():
        DataKey.objects.hold_master(alone=True)
        ciphers.make_next_master()
        rows = DataKey.objects.order_by("pk")
        survivors = 0
        for row in rows.iterator(chunk_size=AT_ONCE):
            key = row.open()
            row.wrap(key)
            if row.open() != key:
                raise NotVerified(f"data key {row.pk}")
            row.save(update_fields=["wrapped", "master"])
            survivors += 1
    back_up(more)
    return survivors


def destroy_unused(now: datetime) -> list[str]:
    """Destroy every master that wraps nothing any more and was superseded a while ago; their names."""
    with transaction.atomic():
        DataKey.objects.hold_master(alone=True)
        newest = ciphers.current_master()
        in_use = set(DataKey.objects.values_list("master", flat=True).distinct()) | {newest}
        unused = [name for name in ciphers.masters() if name not in in_use]
        if unused and now - ciphers.made_at(newest) >= GRACE:
            for name in unused:
                ciphers.destroy(name)
            return unused
    return []


def back_up(more: Iterable[Line] = ()) -> Path:
    """The key table's own copy: newest only, beside the master keys, outside of the database's backups.

    An older backup holds what lay under a data key that was replaced since, and nothing opens that any more.
    So whatever those people keep stands here under their present key: names, devices and what their
    consents refer to, and `more`, read under the copy's lock, which is what the caller keeps under data keys.
    """
    path: Path = settings.MASTER_KEYS / "wrapped.json"
    draft = path.with_suffix(".new")
    with transaction.atomic():
        # One after another, each reading what was committed before: the last to be written is the newest.
        DataKey.objects.hold_copy()
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.writelines(json.dumps(line) + "\n" for line in chain(_lines(), more))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    return path


def copied() -> Iterator[Line]:
    """What the copy holds, people first."""
    with (settings.MASTER_KEYS / "wrapped.json").open() as file:
        yield from map(json.loads, file)


def restore(line: Line) -> bool:
    """One person of the copy into a database restored from a backup; whether that lay under an older key."""
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


def in_letters(sealed: bytes | memoryview) -> str:
    return b64encode(bytes(sealed)).decode()


def _lines() -> Iterator[Line]:
    rows = (
        DataKey.objects.select_related("person")
        .prefetch_related("person__devices", "person__consents")
        .order_by("person_id")
    )
    for row in rows.iterator(chunk_size=AT_ONCE):
        line = {
            "person": row.person_id,
            "master": row.master,
            "generation": row.generation,
            "wrapped": in_letters(row.wrapped),
        }
        if row.generation > 1:
            line |= {
                "name": in_letters(row.person.sealed_name),
                "email": in_letters(row.person.sealed_email),
                "devices": {
                    str(each.uuid): in_letters(each.sealed_about) for each in row.person.devices.all()
                },
                "references": {
                    str(each.pk): in_letters(each.sealed_reference)
                    for each in row.person.consents.all()
                    if each.sealed_reference
                },
            }
        yield line

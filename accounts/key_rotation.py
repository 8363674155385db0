"""Key rotation: everything under the master key is moved to a new one, then the old one is destroyed.

Deleting a person's wrapped data key is not enough: an old database backup still has it, and the master key
that wrapped it would still open it. Destroying that master key makes the wrapped keys in every old backup
useless, and the hashes of names in it meaningless.

Each step leaves its progress in the table of master keys and may be killed and run again:

    begin     a row for the next master key          made_at
    put_in_use  its file, copied where the operator says; from now on it wraps   used_since
    rewrap    every data key and name, in batches
    retire    nothing is under the old one any more   retired_at
    destroy   its file is overwritten and gone        destroyed_at
    forget    gone from the operator's copy too       gone_at
"""

import logging
import os
import subprocess
from collections.abc import Callable, Collection, Iterator
from datetime import timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models.functions import Now

from . import ciphers, consent, journal, key_copy, keyring, names, site
from .models import Consent, DataKey, MasterKey, Site, User

logger = logging.getLogger(__name__)

# A request that read its row just before the rotation may still be about to read the old master's file.
GRACE = timedelta(seconds=60)
BATCH_SIZE = 500
SECONDS_TO_COPY = 600


class NotCopied(Exception):
    """The operator's command to copy the keys failed; nothing is destroyed until it succeeds."""


def begin() -> None:
    """Ask for another master key, unless one was asked for and is not in use yet."""
    if not MasterKey.objects.filter(used_since=None).exists():
        number = MasterKey.objects.order_by("number").values_list("number", flat=True).last()
        MasterKey.objects.get_or_create(number=(number or 0) + 1)


def put_in_use() -> None:
    """Make the key that `begin` asked for, copy it, and wrap by it from now on. Raises NotCopied."""
    asked_for = MasterKey.objects.filter(used_since=None).order_by("number").first()
    if asked_for is None:
        return
    keyring.make(asked_for.name)
    copy_out()
    with transaction.atomic():
        DataKey.objects.lock_change_of_master()
        MasterKey.objects.filter(pk=asked_for.pk, used_since=None).update(used_since=Now())


def older_masters() -> list[MasterKey]:
    """Those that something may still be under."""
    current = MasterKey.objects.current()
    older = MasterKey.objects.filter(retired_at=None, destroyed_at=None).order_by("number")
    return list(older.filter(number__lt=current.number)) if current else []


def rewrap(after: int = 0) -> int:
    """Move a batch of people, whose data keys have numbers above `after`, to the present master key.

    Returns the last number, from which the next batch goes on: one that began anew would read all that were
    moved before it. 0 if no one was left. People whose row someone else is changing are left for a later
    pass. A data key that does not open is reported by its number and stops no other.
    """
    older = [master.name for master in older_masters()]
    if not older:
        return 0
    with transaction.atomic():
        master = DataKey.objects.lock_master()
        waiting = User.objects.filter(
            data_key__master__in=older, data_key__unreadable_since=None, data_key__pk__gt=after
        )
        locked = waiting.select_for_update(skip_locked=True, of=("self",)).order_by("data_key__pk")
        people = {person.pk: person for person in locked[:BATCH_SIZE]}
        rows = list(DataKey.objects.filter(person__in=people).order_by("pk"))
        moved = list(_moved(rows, people, older, master))
        _save(moved)
        # The copy first: a master that it names is never destroyed, and of a killed batch both are there.
        DataKey.objects.lock_copy()
        key_copy.put(key_copy.person_lines([row.person_id for row, _ in moved]))
    return rows[-1].pk if rows else 0


def is_rewrapped() -> bool:
    older = [master.name for master in older_masters()]
    return not DataKey.objects.filter(master__in=older, unreadable_since=None).exists()


def retire(is_free: Callable[[list[int]], bool]) -> None:
    """Mark the older master keys under which nothing is any more. Raises NotCopied.

    `is_free` says whether the caller has nothing under these numbers either.
    """
    older = older_masters()
    if not older or {master.name for master in older} & key_copy.masters():
        return
    copy_out()
    with transaction.atomic():
        DataKey.objects.lock_change_of_master()  # whoever wrapped by an older one has committed
        if is_rewrapped() and is_free([master.number for master in older]):
            retired = MasterKey.objects.filter(pk__in=[master.pk for master in older])
            retired.update(retired_at=Now())


def destroy() -> list[str]:
    """Destroy every master key that was retired `GRACE` ago; returns their names.

    Only in the folder that has this site's other keys: in any other place they are not seen gone.
    """
    ready = MasterKey.objects.filter(retired_at__lte=Now() - GRACE, destroyed_at=None)
    names_ = []
    for master in ready.order_by("number"):
        site.establish()
        if master.name in key_copy.masters():
            continue
        keyring.destroy(master.name)
        if not keyring.exists(master.name):
            MasterKey.objects.filter(pk=master.pk, destroyed_at=None).update(destroyed_at=Now())
            names_.append(master.name)
    return names_


def forget() -> None:
    """Have the operator's copy made again, without what was destroyed. Raises NotCopied."""
    destroyed = list(MasterKey.objects.filter(destroyed_at__isnull=False, gone_at=None))
    if destroyed:
        copy_out()
        MasterKey.objects.filter(pk__in=[master.pk for master in destroyed]).update(gone_at=Now())


def copy_journal() -> None:
    """Have the operator's copy made again if people ended something since the last. Raises NotCopied."""
    if settings.KEYS_COPIED_BY and Site.objects.filter(journal_copied__lt=journal.size()).exists():
        copy_out()


def copy_out() -> None:
    """Run `KEYS_COPIED_BY`, if there is such a command. Raises NotCopied."""
    if not settings.KEYS_COPIED_BY:
        return
    size = journal.size()
    with transaction.atomic():
        DataKey.objects.lock_copy()  # so that the key copy does not change while it is copied
        reason = _failure_of_copying()
    if reason:
        Site.objects.filter(keys_not_copied_since=None).update(keys_not_copied_since=Now())
        raise NotCopied(f"KEYS_COPIED_BY failed: {reason}")
    Site.objects.update(keys_not_copied_since=None, journal_copied=size)


def _failure_of_copying() -> str:
    """Why the command failed; empty if it did not."""
    try:
        done = subprocess.run(
            settings.KEYS_COPIED_BY,
            shell=True,
            env=os.environ | {"MASTER_KEYS": str(keyring.folder())},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=SECONDS_TO_COPY,
        )
    except subprocess.TimeoutExpired:
        return f"it took longer than {SECONDS_TO_COPY} s"
    return f"exit code {done.returncode}: {done.stderr.strip()[-500:]}" if done.returncode else ""


def _moved(
    rows: Collection[DataKey], people: dict[int, User], older: Collection[str], master: str
) -> Iterator[tuple[DataKey, str]]:
    """Each row under the new master key, and the hash by which its person is found from now on."""
    hashing = keyring.hashing_keys()
    # Read before anything else: a folder that lacks one of them raises, and no row is taken for unreadable.
    masters = {name: keyring.read(name) for name in [*older, master] if name != keyring.OLD_HASHES}
    with_old_hash = _with_references(people) if keyring.exists(keyring.OLD_HASHES) else set()
    for row in rows:
        key = _open(row, masters)
        if key is None:
            logger.error("data key %s opens neither in the database nor in the key copy", row.pk)
            DataKey.objects.filter(pk=row.pk).update(unreadable_since=Now())
            continue
        row.master, label = master, DataKey.label(row.person_id)
        row.wrapped = ciphers.seal(masters[master], key, label)
        if ciphers.unseal(masters[master], row.wrapped, label) != key:
            raise AssertionError(f"data key {row.pk} does not open to the same bytes")
        if row.person_id in with_old_hash:
            consent.reseal_references(row.person_id, key, key)
        yield row, _found_by(people[row.person_id], key, hashing, master)


def _open(row: DataKey, masters: dict[str, bytes]) -> bytes | None:
    """The data key by its row or, if that does not open, by its line in the copy."""
    label = DataKey.label(row.person_id)
    try:
        return ciphers.unseal(masters[row.master], bytes(row.wrapped), label)
    except ciphers.KeyLost:
        line = key_copy.of_person(row.person_id)
    if line is None or line["generation"] != row.generation or line["master"] not in masters:
        return None
    try:
        return ciphers.unseal(masters[line["master"]], key_copy.from_base64(line["wrapped"]), label)
    except ciphers.KeyLost:
        return None


def _found_by(person: User, key: bytes, hashing: list[str], master: str) -> str:
    try:
        texts = names.texts(person.name_under(key))
    except ciphers.KeyLost:
        texts = []
    for text in texts:
        if any(person.username == keyring.hash_under(name, text) for name in hashing):
            return keyring.hash_under(master, text)
    logger.error("the name of person %s does not lead to the hash that they are found by", person.pk)
    return person.username


def _with_references(people: Collection[int]) -> set[int]:
    given = Consent.objects.filter(contributor__in=people).exclude(sealed_reference=b"")
    return set(given.values_list("contributor", flat=True))


def _save(moved: list[tuple[DataKey, str]]) -> None:
    """In one statement for each table, however many rows."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE accounts_datakey AS row SET wrapped = new.wrapped, master = new.master"
            " FROM unnest(%s::bigint[], %s::bytea[], %s::text[]) AS new (id, wrapped, master)"
            " WHERE row.id = new.id",
            [
                [row.pk for row, _ in moved],
                [row.wrapped for row, _ in moved],
                [row.master for row, _ in moved],
            ],
        )
        cursor.execute(
            "UPDATE accounts_user AS row SET username = new.username"
            " FROM unnest(%s::bigint[], %s::text[]) AS new (id, username) WHERE row.id = new.id",
            [[row.person_id for row, _ in moved], [username for _, username in moved]],
        )

"""Which site this is: its database, its key folder and its vault each carry the site's id.

A database whose keys are missing must never get new ones: everything sealed in it would stay closed, log-ins
would fail, and the next key rotation would destroy what is left. So keys are made once, for an empty
database and an empty folder; afterwards the two must belong together.

`accounts.models` imports this module, so it reaches the tables through Django's registry.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from uuid import UUID, uuid4

from django.apps import apps
from django.db import connection, transaction

from . import keyring

SITE_LOCK = 7_304  # see accounts.models for the other advisory locks


_is_restoring = ContextVar("is_restoring", default=False)


class WrongSite(Exception):
    """Database, keys and vault do not belong together; the text names the folder and what to do."""


@transaction.atomic
def establish() -> UUID:
    """The site's id. Raises WrongSite if the key folder is not this database's.

    For an empty database and an empty folder it makes the keys. A killed first start is completed by the
    next one, as the folder's mark says that no database knows it yet.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [SITE_LOCK])
    if not _is_restoring.get() and (restoring := (keyring.read_mark() or {}).get("restoring")):
        raise WrongSite(
            f"the restore of {restoring} is not finished, so people who left may still be in the database:"
            " run `manage.py restore` again"
        )
    known = _table("Site").objects.first()
    if known is None:
        return _adopt() if _has_people() else _create()
    _check(known.uuid)
    return UUID(str(known.uuid))


@contextmanager
def restoring() -> Iterator[None]:
    """Within it, a site may be used whose restore is not finished yet."""
    token = _is_restoring.set(True)
    try:
        yield
    finally:
        _is_restoring.reset(token)


def _create() -> UUID:
    mark = keyring.read_mark()
    if mark and mark["complete"]:
        raise WrongSite(
            f"the key folder {keyring.folder()} belongs to site {mark['site']}, but the database is empty:"
            " restore its backup, or set MASTER_KEYS to another folder"
        )
    if mark is None and (keyring.masters() or keyring.exists(keyring.SIGNING)):
        raise WrongSite(
            f"the key folder {keyring.folder()} has keys, but the database is empty:"
            " restore its backup, or set MASTER_KEYS to another folder"
        )
    site = UUID(mark["site"]) if mark else uuid4()
    keyring.write_mark(str(site), complete=False)
    keyring.make(keyring.SIGNING)
    keyring.make(keyring.name_of(1))
    _table("MasterKey").objects.create(number=1, used_since=_now())
    _remember(site)
    return site


def _adopt() -> UUID:
    """A site from before sites had ids: its keys must be in the folder."""
    missing = _missing_masters() + [
        name for name in (keyring.OLD_HASHES, keyring.SIGNING) if not keyring.exists(name)
    ]
    if keyring.OLD_HASHES in missing or len(missing) > 1 or (missing and missing != [keyring.SIGNING]):
        raise WrongSite(_keys_missing(missing))
    keyring.make(keyring.SIGNING)  # such a site made it with its first receipt
    mark = keyring.read_mark()
    site = UUID(mark["site"]) if mark else uuid4()
    keyring.write_mark(str(site), complete=False)
    # The key of its hashes counts as the oldest master: it is destroyed after the next key rotation.
    numbers = [0, *map(int, keyring.masters())]
    _table("MasterKey").objects.bulk_create(
        [_table("MasterKey")(number=number, used_since=_now()) for number in numbers]
    )
    _remember(site)
    return site


def _remember(site: UUID) -> None:
    _table("Site").objects.create(uuid=site)
    transaction.on_commit(lambda: keyring.write_mark(str(site), complete=True))


def _check(site: UUID) -> None:
    mark = keyring.read_mark()
    if mark is None or (mark["site"] == str(site) and not keyring.exists(keyring.SIGNING)):
        raise WrongSite(_keys_missing(_missing_masters() or [keyring.SIGNING]))
    if mark["site"] != str(site):
        raise WrongSite(
            f"the key folder {keyring.folder()} belongs to site {mark['site']}, the database to site {site}:"
            " mount this site's folder, or set MASTER_KEYS to it"
        )
    if missing := _missing_masters():
        raise WrongSite(_keys_missing(missing))
    if not (mark["complete"] or _is_restoring.get()):  # the first start was killed after its commit
        keyring.write_mark(str(site), complete=True)


def _keys_missing(names: list[str]) -> str:
    return (
        f"the keys of this database are not in {keyring.folder()} (missing: {', '.join(names)}):"
        " mount the folder that has them, or set MASTER_KEYS to it"
    )


def _missing_masters() -> list[str]:
    """The master keys that wrap data keys, or will wrap the next one, and are not in the folder."""
    used = set() if _is_restoring.get() else set(_wrapping_masters())
    in_use = _table("MasterKey").objects.filter(used_since__isnull=False, destroyed_at=None)
    newest = in_use.order_by("number").values_list("number", flat=True).last()
    used |= {keyring.name_of(newest)} if newest else set()
    return sorted(used - set(keyring.masters()))


def _wrapping_masters() -> Iterator[str]:
    """The masters that data keys are under, each found in the index after the one before.

    Every erasure asks, so this must not read all data keys, as DISTINCT does.
    """
    # A restored database has data keys of people who left under master keys that were destroyed since.
    readable = _table("DataKey").objects.filter(unreadable_since=None)
    names = readable.order_by("master").values_list("master", flat=True)
    last = names.first()
    while last is not None:
        yield last
        last = names.filter(master__gt=last).first()


def _has_people() -> bool:
    return bool(_table("User").objects.exists())


def _now() -> Any:
    with connection.cursor() as cursor:
        cursor.execute("SELECT now()")
        return cursor.fetchone()[0]


def _table(name: str) -> Any:
    return apps.get_model("accounts", name)

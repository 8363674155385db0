"""When the master key is rotated, and what an erasure still owes until it was.

An erasure names the newest master key that may wrap, in some backup, what it erased. It is owed until that
key and all older ones are seen destroyed; only then does its receipt say that the backups are closed.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db.models.functions import Now

from accounts import audit, key_rotation, site
from accounts.models import DataKey, MasterKey, Site
from datasets.clips import fingerprints
from datasets.models import Withdrawal

from . import key_copy

# So that backups are closed within 24 hours of the end of an erasure.
EVERY = timedelta(hours=20)
CLOSED_WITHIN = timedelta(hours=24)


def advance(now: datetime, has_time: Callable[[], bool]) -> None:
    """Do what is due of a key rotation until it is finished or there is no more time; then run it again.

    Raises site.WrongSite if the keys are not this site's, and key_rotation.NotCopied.
    """
    site.establish()
    key_rotation.copy_journal()
    _owe()
    if is_due():
        key_rotation.begin()
    key_rotation.put_in_use()
    if _move(has_time):
        _retire()
    for name in key_rotation.destroy():
        audit.record(audit.Act.ROTATED_KEY, f"master key {name}", None, now)
    key_rotation.forget()
    _close(now)


def is_due() -> bool:
    """Whether someone left under the present master key, which has been in use for `EVERY`."""
    current = MasterKey.objects.current()
    if current is None:
        return False
    if MasterKey.objects.filter(number=0, destroyed_at=None, retired_at=None).exists():
        return current.number == _first_of_older_site()
    in_time = MasterKey.objects.filter(pk=current.pk, used_since__lte=Now() - EVERY).exists()
    return in_time and _owed().filter(last_master__gte=current.number).exists()


def overdue(now: datetime) -> Any:
    """The erasures that finished more than 24 hours ago and are still open in old backups."""
    return _owed().filter(finished_at__lt=now - CLOSED_WITHIN)


def state(now: datetime) -> dict[str, Any]:
    """What people who monitor the site should see. Nothing in it changes when someone leaves."""
    here = Site.objects.first()
    return {
        "erasures_overdue_in_backups": overdue(now).count(),
        "unreadable_data_keys": DataKey.objects.exclude(unreadable_since=None).count(),
        "keys_not_copied_since": here and here.keys_not_copied_since,
    }


def _move(has_time: Callable[[], bool]) -> bool:
    """Whether everything is under the present master key."""
    for batch in (key_rotation.rewrap, fingerprints.rehash):
        last = 0
        while last := batch(last):
            if not has_time():
                return False
    return True


def _retire() -> None:
    if key_rotation.older_masters() and key_rotation.is_rewrapped():
        key_copy.complete()
        key_rotation.retire(fingerprints.is_rehashed)


def _owe() -> None:
    """Erasures that an older version finished named no master key: take the present one."""
    current = MasterKey.objects.current()
    unnamed = _owed().filter(last_master=None)
    if current and unnamed.exists():
        unnamed.update(last_master=current.number)


def _close(now: datetime) -> None:
    oldest = MasterKey.objects.filter(gone_at=None).order_by("number").first()
    if oldest is not None:
        _owed().filter(last_master__lt=oldest.number).update(backups_closed_at=now)


def _owed() -> Any:
    return Withdrawal.objects.filter(finished_at__isnull=False, backups_closed_at=None)


def _first_of_older_site() -> int:
    """The newest of the master keys that were there when the site got its id."""
    adopted = MasterKey.objects.get(number=0)
    return MasterKey.objects.filter(used_since=adopted.used_since).latest("number").number

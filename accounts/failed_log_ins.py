"""Failed log-ins, in the audit record: how many in ten minutes under one name, which is only a keyed hash.

The key is forgotten after a day: from then on no one can tell the name, not even who runs this site. An
attack on many names is a bounded number of events: names beyond the first so many are counted together.
"""

import hmac
import secrets
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.core.cache import cache
from django.db import connection, transaction
from redis.exceptions import RedisError

from . import audit, names
from .models import FailedLogIns

WINDOW = timedelta(minutes=10)
MOST_NAMES = 50
_KEY_LASTS = timedelta(days=1)


def count(name: str, now: datetime) -> None:
    """Count one more under this name, as it was typed."""
    since = _window(now)
    counted = FailedLogIns.objects.filter(since=since)
    name_hash = _hash(name, now)
    if not counted.filter(name_hash=name_hash).exists() and counted.count() >= MOST_NAMES:
        name_hash = ""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO {FailedLogIns._meta.db_table} (since, name_hash, count) VALUES (%s, %s, 1)
            ON CONFLICT (since, name_hash) DO UPDATE SET count = {FailedLogIns._meta.db_table}.count + 1
            """,
            [since, name_hash],
        )


@transaction.atomic
def record(now: datetime) -> int:
    """Turn the counts of windows that are over into events; returns how many."""
    over = FailedLogIns.objects.select_for_update(skip_locked=True).filter(since__lt=_window(now))
    rows = list(over.order_by("since", "name_hash"))
    for row in rows:
        about = f"name {row.name_hash[:16]}" if row.name_hash else "other names"
        details = {"count": row.count, "since": row.since.astimezone(UTC).isoformat()}
        audit.record(audit.Act.FAILED_LOG_IN, about, None, now, details)
    FailedLogIns.objects.filter(pk__in=[row.pk for row in rows]).delete()
    return len(rows)


def _window(now: datetime) -> datetime:
    """When the window began that this moment is in."""
    seconds = int(WINDOW.total_seconds())
    return datetime.fromtimestamp(int(now.timestamp()) // seconds * seconds, UTC)


def _hash(name: str, now: datetime) -> str:
    """The same within one day, and under a key that is only in Redis, and only so long."""
    try:
        key = cache.get_or_set(
            f"failed-log-ins:{now:%Y-%m-%d}", lambda: secrets.token_hex(16), _KEY_LASTS.total_seconds()
        )
    except RedisError:
        return ""  # counted together: people log in without Redis too
    secret = f"{settings.SECRET_KEY}{key}".encode()
    return hmac.new(secret, names.looked_up(name).encode(), "sha256").hexdigest()

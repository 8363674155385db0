"""Who runs this site, as every page says at its end.

A process keeps what it read for some seconds: otherwise each page would ask the database once more.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from time import monotonic
from typing import Any

from django.db import DatabaseError, transaction

from . import audit
from .models import Operator, User

KEPT = 10  # seconds
FIELDS = ("name", "contact", "postal_address", "privacy_url", "privacy_text")


class _Kept:
    until = 0.0
    operator: Operator | None = None


def present() -> Operator | None:
    """Who runs this site, as of some seconds ago; None if nobody said so. Pages are drawn without it, too."""
    if monotonic() >= _Kept.until:
        try:
            _keep(stored())
        except DatabaseError:
            return _Kept.operator
    return _Kept.operator


def stored() -> Operator | None:
    return Operator.objects.first()


@transaction.atomic
def describe(fields: Mapping[str, str], by: User, now: datetime) -> Operator:
    """Say who runs this site, from now on. The record has which fields changed.

    It does not have their words, as it forgets nothing and these may be a person's name and address; of the
    privacy page, which is everyone's to read, it has the digest.
    """
    operator = Operator.objects.select_for_update().first() or Operator(pk=1)
    changed = [name for name in FIELDS if getattr(operator, name) != fields[name]]
    if not changed:
        return operator
    for name in changed:
        setattr(operator, name, fields[name])
    operator.save()
    audit.record(audit.Act.SAID_WHO_RUNS, "who runs this site", by, now, _details(operator, changed))
    transaction.on_commit(forget)
    return operator


def forget() -> None:
    """Read anew for the next page."""
    _Kept.until = 0.0


def _details(operator: Operator, changed: list[str]) -> dict[str, Any]:
    details: dict[str, Any] = {"fields": changed}
    if "privacy_text" in changed and operator.privacy_text:
        details["privacy_sha256"] = hashlib.sha256(operator.privacy_text.encode()).hexdigest()
    return details


def _keep(operator: Operator | None) -> None:
    _Kept.operator, _Kept.until = operator, monotonic() + KEPT

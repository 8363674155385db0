"""Roles and rights are given and taken here, and each change is an event of the audit record."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction

from . import audit
from .models import User

RIGHTS = ("is_active", "is_staff", "is_superuser")


@transaction.atomic
def appoint(
    person: User, roles: Iterable[str], by: User | None, now: datetime, *, as_admin: bool = False
) -> bool:
    """Give these roles, besides those that the person has, and an admin's rights; whether that is new.

    What is powerful about them counts once the person has a second factor.
    """
    after = User.objects.select_for_update().get(pk=person.pk)
    before = rights(after)
    after.roles = [*after.roles, *(role for role in dict.fromkeys(roles) if role not in after.roles)]
    if as_admin:
        after.is_staff = after.is_superuser = True
    after.save(update_fields=["roles", "is_staff", "is_superuser"])
    return record_change(before, after, by, now)


def rights(person: User) -> dict[str, Any]:
    """What `record_change` compares."""
    return {"roles": list(person.roles)} | {name: getattr(person, name) for name in RIGHTS}


def record_change(before: dict[str, Any], person: User, by: User | None, now: datetime) -> bool:
    """Record which roles and rights are others than `before`, if any are."""
    after = rights(person)
    roles = {
        "roles_added": sorted(set(after["roles"]) - set(before["roles"])),
        "roles_removed": sorted(set(before["roles"]) - set(after["roles"])),
    }
    changed = {name: [before[name], after[name]] for name in RIGHTS if before[name] != after[name]}
    details = {name: value for name, value in (roles | {"changed": changed}).items() if value}
    if details:
        audit.record(audit.Act.SET_ROLES, f"person {person.pk}", by, now, details)
    return bool(details)

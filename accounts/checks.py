"""What `manage.py check --deploy` says of this room's settings and people."""

from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core import checks
from django.db import DatabaseError

from .ciphers import KeyLost


@checks.register(checks.Tags.security, deploy=True)
def proxies_are_named(app_configs: object, **kwargs: Any) -> list[checks.CheckMessage]:
    if not settings.BEHIND_PROXY or settings.TRUSTED_PROXIES:
        return []
    return [
        checks.Warning(
            "BEHIND_PROXY is on, but TRUSTED_PROXIES names no web server. If it connects over TCP, all"
            " visitors share its address, and with it all limits of log-ins and sign-ups.",
            hint="Set TRUSTED_PROXIES to its network, such as 127.0.0.1, and leave BEHIND_PROXY out.",
            id="accounts.W001",
        )
    ]


@checks.register(checks.Tags.security, deploy=True)
def no_demo_accounts(**_: Any) -> list[checks.CheckMessage]:
    """Names them. Nothing is said of a database that does not answer or has no tables yet."""
    people = get_user_model()._default_manager.filter(is_demo=True, is_active=True).order_by("pk")
    try:
        names = [_name(person) for person in people.select_related("data_key")]
    except DatabaseError:
        return []
    if not names:
        return []
    return [
        checks.Warning(
            f"{len(names)} demo accounts are in the database: {', '.join(names)}.",
            hint="No one can log in with them while DEBUG is off. People belong on a new database.",
            id="accounts.W002",
        )
    ]


def _name(person: Any) -> str:
    try:
        return str(person.pseudonym)
    except KeyLost:
        return str(person)

"""What `manage.py check --deploy` says of this room's settings."""

from typing import Any

from django.conf import settings
from django.core import checks


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

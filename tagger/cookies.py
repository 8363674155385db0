"""Messages for the next page in a cookie that has the prefix of all others."""

from django.conf import settings
from django.contrib.messages.storage.cookie import CookieStorage
from django.contrib.messages.storage.fallback import FallbackStorage
from django.contrib.messages.storage.session import SessionStorage


class PrefixedCookie(CookieStorage):
    @property
    def cookie_name(self) -> str:  # type: ignore[override]
        return f"{settings.COOKIE_PREFIX}messages"


class Messages(FallbackStorage):
    storage_classes = (PrefixedCookie, SessionStorage)

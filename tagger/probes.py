"""Is it up, and can it work? Asked by whatever starts and watches the site."""

from collections.abc import Callable

from django.core.cache import cache
from django.db import OperationalError, connection
from django.http import HttpRequest, JsonResponse
from redis.exceptions import RedisError


def healthz(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "up"})


def readyz(request: HttpRequest) -> JsonResponse:
    """200 when the database and Redis answer, 503 with what does not."""
    found = {"database": _answers(_ask_database), "redis": _answers(_ask_redis)}
    return JsonResponse(found, status=200 if all(found.values()) else 503)


def _answers(ask: Callable[[], None]) -> bool:
    try:
        ask()
    except (OperationalError, RedisError):
        return False
    return True


def _ask_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _ask_redis() -> None:
    cache.get("readyz")

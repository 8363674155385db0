"""Whether the site is up, and whether it can work: for the programs that start and monitor it."""

from collections.abc import Callable

from django.core.cache import cache
from django.db import OperationalError, connection
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from redis.exceptions import RedisError

from tagger.privacy import rotation


def healthz(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "up"})


def readyz(request: HttpRequest) -> JsonResponse:
    """200 if the database and Redis answer; 503 with which of them does not.

    `details` say what the site owes: that is for people to look at, and no reason to stop sending requests.
    """
    found = {"database": _answers(_query_database), "redis": _answers(_query_redis)}
    details = rotation.state(timezone.now()) if found["database"] else {}
    return JsonResponse(found | {"details": details}, status=200 if all(found.values()) else 503)


def _answers(query: Callable[[], None]) -> bool:
    try:
        query()
    except (OperationalError, RedisError):
        return False
    return True


def _query_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _query_redis() -> None:
    cache.get("readyz")

"""Whether workers take what waits for them: beat sends a task to each queue, which notes when it ran."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from enum import StrEnum

from django.conf import settings
from django.core.cache import cache
from redis import Redis
from redis.exceptions import RedisError

SILENT_AFTER = timedelta(minutes=3)
KEPT = 7 * 86_400  # seconds


class Silence(StrEnum):
    NO_WORKER = "no-worker"  # for the queues of which something waits
    NO_BEAT = "no-beat"
    NO_REDIS = "no-redis"


def note(queue: str, now: datetime) -> None:
    cache.set(_key(queue), now.timestamp(), KEPT)


def silences(now: datetime) -> dict[Silence, list[str]]:
    """What does not run, with the names of the queues for which nothing ran."""
    try:
        silent = list(_silent(now))
        waiting = [queue for queue in silent if _waits(queue)]
    except (RedisError, OSError):
        return {Silence.NO_REDIS: []}
    if waiting:
        return {Silence.NO_WORKER: waiting}
    # Whatever beat sends to a queue stays there until a worker takes it.
    return {Silence.NO_BEAT: silent} if silent else {}


def _silent(now: datetime) -> Iterator[str]:
    names = [queue.name for queue in settings.CELERY_TASK_QUEUES]
    times = cache.get_many([_key(name) for name in names])
    for name in names:
        if times.get(_key(name), 0) < (now - SILENT_AFTER).timestamp():
            yield name


def _waits(queue: str) -> bool:
    with Redis.from_url(settings.REDIS_URL, socket_connect_timeout=1, socket_timeout=1) as broker:
        return bool(broker.exists(queue))


def _key(queue: str) -> str:
    return f"queue-seen-{queue}"

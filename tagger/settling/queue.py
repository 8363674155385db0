"""Request that a worker settles what was answered.

Web processes do so for every answer, hence without importing the consensus engine.
"""

from functools import cache
from time import monotonic

from django.conf import settings
from django.db import transaction
from redis import Redis

from tagger.celery import app

# A request is pending, for all processes, from sending it until a worker begins. In case the broker loses it,
# the next one may be sent after EXPIRY seconds; beat sends one regularly too.
PENDING, EXPIRY = "tagger:settling-asked", 5
# Seconds in which answers gather to be settled together: a message costs as much as settling several of them.
DELAY = 0.3


def request_settlement() -> None:
    """Send a request after the commit. If the broker cannot be reached, that is logged and nothing else."""
    transaction.on_commit(send_request, robust=True)


_sent_at = -DELAY  # by this process


def send_request() -> None:
    global _sent_at
    now = monotonic()
    if now < _sent_at + DELAY / 2:  # no worker has begun yet, and the one that does will see this answer
        return
    if _redis().set(PENDING, 1, ex=EXPIRY, nx=True):
        app.send_task("tagger.tasks.settle", countdown=DELAY)
        _sent_at = now


def mark_begun() -> None:
    """A worker begins: answers that are stored from now on need another request."""
    _redis().delete(PENDING)


# A broker that hangs holds up a volunteer no longer than Celery would.
TIMEOUTS = ("socket_connect_timeout", "socket_timeout")


@cache
def _redis() -> Redis:
    # Django's cache makes another client for each call, which takes longer than the call.
    timeouts = {name: settings.CELERY_BROKER_TRANSPORT_OPTIONS[name] for name in TIMEOUTS}
    return Redis.from_url(settings.REDIS_URL, **timeouts)

"""Ask a worker to settle what was answered. A web process asks so often, and needs no engine for it."""

from functools import cache
from time import monotonic

from django.conf import settings
from django.db import transaction
from redis import Redis

from tagger.celery import app

# Whoever stores an answer asks a worker to look, unless somebody asked and none began yet. Should the broker
# lose that, others may ask after so many seconds; beat does in any case.
ASKED, SECONDS = "tagger:settling-asked", 5
GATHERED = 0.3  # seconds' answers are settled together: each message costs as much as settling several


def settle_soon() -> None:
    """Have a worker settle what waits for it, after the commit; a broker that is away is no error."""
    transaction.on_commit(ask, robust=True)


_asked_at = -GATHERED  # by this process


def ask() -> None:
    global _asked_at
    now = monotonic()
    if now < _asked_at + GATHERED / 2:  # nobody began yet, and whoever does will see what is stored by now
        return
    if _redis().set(ASKED, 1, ex=SECONDS, nx=True):
        app.send_task("tagger.tasks.settle", countdown=GATHERED)
        _asked_at = now


def begin() -> None:
    """What is stored from now on is asked for anew."""
    _redis().delete(ASKED)


# A volunteer waits no longer for a broker that hangs than Celery would.
WAITS = ("socket_connect_timeout", "socket_timeout")


@cache
def _redis() -> Redis:
    # Django's cache makes a client anew for each call, and that costs more than the call.
    waits = {name: settings.CELERY_BROKER_TRANSPORT_OPTIONS[name] for name in WAITS}
    return Redis.from_url(settings.REDIS_URL, **waits)

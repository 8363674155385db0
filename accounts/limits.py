"""How often strangers and people may do what can be abused: every limit of the site that counts by the clock.

    counted = limits.count(now, (limits.WRONG_CODES, str(person.pk)))     raises LimitReached
    counted.take_back()                                                   the code was right

Counters are in Redis, one for each limit, subject (an address, an account) and window of time. A key is a
hash of these under SECRET_KEY, and ends with its window, an hour at most. So Redis names no one, and nothing
joins what someone did in two windows. Windows begin by the clock, not with the first use: then no state has
to say when one ends.

While Redis does not answer, each process counts by itself. Guessing stays bounded, by the limit times the
number of web processes, and no one is locked out.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from math import ceil
from threading import Lock
from time import monotonic

from django.conf import settings
from django.utils.crypto import salted_hmac
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from .refusals import Refusal

logger = logging.getLogger(__name__)


class LimitRefusal(StrEnum):
    WRONG_PASSWORDS = "wrong-passwords"
    LOG_INS = "log-ins"
    SIGN_UPS = "sign-ups"
    PASSWORD_RESETS = "password-resets"
    WRONG_CODES = "wrong-codes"
    DEVICES = "devices"


@dataclass(frozen=True)
class Limit:
    """At most `most` in each window of `within`, which is an hour or less."""

    counts: str
    most: int
    within: timedelta
    refusal: LimitRefusal


QUARTER, HOUR = timedelta(minutes=15), timedelta(hours=1)

# A class of thirty behind one address signs up, mistypes and logs in. docs/architecture.md has these numbers
# as a table; a test compares them.
ACCOUNT_AT_ADDRESS = Limit(
    "wrong passwords for one account from one address", 10, QUARTER, LimitRefusal.WRONG_PASSWORDS
)
KNOWN_BROWSER = Limit(
    "wrong passwords from a browser that this account used before", 10, QUARTER, LimitRefusal.WRONG_PASSWORDS
)
ADDRESS = Limit("wrong passwords from one address", 150, QUARTER, LimitRefusal.WRONG_PASSWORDS)
ACCOUNT = Limit("wrong passwords for one account from all addresses", 100, HOUR, LimitRefusal.WRONG_PASSWORDS)
CONFIRMATIONS = Limit(
    "wrong passwords of someone who is logged in", 10, QUARTER, LimitRefusal.WRONG_PASSWORDS
)
LOG_INS = Limit("log-in forms from one address", 300, QUARTER, LimitRefusal.LOG_INS)
SIGN_UP_FORMS = Limit("sign-up forms from one address", 300, QUARTER, LimitRefusal.SIGN_UPS)
SIGN_UPS = Limit("new accounts from one address", 100, HOUR, LimitRefusal.SIGN_UPS)
RESETS_AT_ADDRESS = Limit("password resets from one address", 60, HOUR, LimitRefusal.PASSWORD_RESETS)
RESETS_OF_ACCOUNT = Limit("password resets for one account", 5, HOUR, LimitRefusal.PASSWORD_RESETS)
WRONG_CODES = Limit("wrong pairing codes from one account", 10, HOUR, LimitRefusal.WRONG_CODES)
PAIRING_CODES = Limit("pairing codes for devices at one address", 60, HOUR, LimitRefusal.DEVICES)
WAITING_DEVICES = Limit("renewals of pairing codes at one address", 360, HOUR, LimitRefusal.DEVICES)

Use = tuple[Limit, str]


class LimitReached(Refusal):
    """Too often. It may be tried again after `seconds`."""

    def __init__(self, limit: Limit, seconds: int) -> None:
        super().__init__(limit.refusal, minutes=ceil(seconds / 60))
        self.seconds = seconds


@dataclass(frozen=True)
class Counted:
    """One use of each of some limits."""

    keys: tuple[str, ...]

    def take_back(self) -> None:
        """As if it had not been: what was tried turned out to be right."""
        try:
            _in_redis().take_back(self.keys)
        except RedisError:
            IN_PROCESS.take_back(self.keys)


def count(now: datetime, *uses: Use) -> Counted:
    """Count one use of each, or none of them if one limit is reached. Raises LimitReached."""
    keys = tuple(_key(now, use) for use in uses)
    most = [limit.most for limit, _subject in uses]
    seconds = [seconds_left(now, limit) for limit, _subject in uses]
    try:
        full = _in_redis().count(keys, most, seconds)
    except RedisError as error:
        logger.warning("limits are counted in this process alone: Redis fails (%s)", type(error).__name__)
        full = IN_PROCESS.count(keys, most, seconds)
    if full:
        longest = max(full, key=lambda place: seconds[place])
        raise LimitReached(uses[longest][0], seconds[longest])
    return Counted(keys)


def forget(now: datetime, use: Use) -> None:
    """Begin to count from none again."""
    key = _key(now, use)
    IN_PROCESS.forget(key)
    try:
        _in_redis().forget(key)
    except RedisError:
        logger.warning("a limit was not reset: Redis fails")


def subject(*parts: str) -> str:
    """Of several things that are limited together, such as an account at an address."""
    return "\0".join(parts)


def hour_hash(text: str, now: datetime) -> str:
    """A hash that is another one each hour, for what must be told apart and not be known."""
    return _hash("hour", str(_window(now, HOUR)), text)


def seconds_left(now: datetime, limit: Limit) -> int:
    """Until the limit's window ends and it counts from none again."""
    return ceil(limit.within.total_seconds() - now.timestamp() % limit.within.total_seconds())


def _key(now: datetime, use: Use) -> str:
    limit, subject = use
    return f"limit:{_hash(limit.counts, str(_window(now, limit.within)), subject)}"


def _window(now: datetime, within: timedelta) -> int:
    return int(now.timestamp() // within.total_seconds())


def _hash(*parts: str) -> str:
    return salted_hmac(SALT, subject(*parts), algorithm="sha256").hexdigest()


SALT = "accounts.limits"

# Both run as one step, so parallel tries cannot slip past a limit, and no key is counted without an end.
COUNT = """
local full = {}
for i, key in ipairs(KEYS) do
    if tonumber(redis.call('GET', key) or '0') >= tonumber(ARGV[i]) then full[#full + 1] = i - 1 end
end
if #full == 0 then
    for i, key in ipairs(KEYS) do
        redis.call('INCR', key)
        redis.call('EXPIRE', key, ARGV[#KEYS + i])
    end
end
return full
"""
TAKE_BACK = """
for _, key in ipairs(KEYS) do
    if tonumber(redis.call('GET', key) or '0') > 0 then redis.call('DECR', key) end
end
"""


class InRedis:
    def __init__(self, redis: Redis) -> None:
        self.redis = redis
        self._count = redis.register_script(COUNT)
        self._take_back = redis.register_script(TAKE_BACK)

    def count(self, keys: Sequence[str], most: Sequence[int], seconds: Sequence[int]) -> list[int]:
        """Count one use of each key if none is full; the places of those that are."""
        full: list[int] = self._count(keys=keys, args=[*most, *seconds])
        return full

    def take_back(self, keys: Sequence[str]) -> None:
        self._take_back(keys=keys)

    def forget(self, key: str) -> None:
        self.redis.delete(key)


class InProcess:
    """The same in this process, for as long as Redis does not answer."""

    MOST = 100_000

    def __init__(self) -> None:
        self._lock = Lock()
        self._used: dict[str, tuple[int, float]] = {}

    def count(self, keys: Sequence[str], most: Sequence[int], seconds: Sequence[int]) -> list[int]:
        with self._lock:
            full = [place for place, key in enumerate(keys) if self._uses(key) >= most[place]]
            if not full:
                for key, left in zip(keys, seconds, strict=True):
                    self._used[key] = self._uses(key) + 1, monotonic() + left
                while len(self._used) > self.MOST:
                    del self._used[next(iter(self._used))]
            return full

    def take_back(self, keys: Sequence[str]) -> None:
        with self._lock:
            for key in keys:
                if uses := self._uses(key):
                    self._used[key] = uses - 1, self._used[key][1]

    def forget(self, key: str) -> None:
        with self._lock:
            self._used.pop(key, None)

    def _uses(self, key: str) -> int:
        uses, until = self._used.get(key, (0, 0.0))
        return uses if until > monotonic() else 0


IN_PROCESS = InProcess()


@cache
def _in_redis() -> InRedis:
    # Not Django's cache: it counts in two steps, and waits without end for a server that hangs. One retry,
    # because connections that were open before Redis started again are closed.
    once = Retry(NoBackoff(), 1)
    return InRedis(Redis.from_url(settings.REDIS_URL, socket_connect_timeout=1, socket_timeout=2, retry=once))

"""Check the servers that the environment names. No message may contain a password."""

from collections.abc import Callable
from urllib.parse import parse_qsl, unquote, urlsplit

import psycopg2
import redis

from .refusal import StartRefused

SECONDS_TO_ANSWER = 5


def check_database(url: str) -> None:
    """Raises StartRefused unless PostgreSQL answers at this URL."""
    _check("DATABASE_URL", url, ("postgresql", "postgres"), _connect_to_database)


def check_redis(url: str) -> None:
    """Raises StartRefused unless Redis answers at this URL."""
    _check("REDIS_URL", url, ("redis", "rediss", "unix"), _ping_redis)


def _check(variable: str, url: str, schemes: tuple[str, ...], connect: Callable[[str], None]) -> None:
    scheme = url.partition("://")[0]
    if "://" not in url or scheme not in schemes:
        raise StartRefused(f"{variable} must begin with {' or '.join(f'{name}://' for name in schemes)}")
    if not _is_unambiguous(url):
        raise StartRefused(
            f"{variable} is not a valid URL: percent-encode the characters @ : / ? # % in its password"
        )
    try:
        connect(url)
    except (psycopg2.OperationalError, redis.RedisError, OSError) as error:
        reason = " ".join(str(error).split())
        raise StartRefused(
            f"{variable}: cannot connect to the server: {_without_secrets(reason, url)}"
        ) from error
    except (psycopg2.Error, ValueError) as error:
        # The parser's message may quote part of the password, so it is left out.
        raise StartRefused(f"{variable} is not a valid URL: a part of it cannot be parsed") from error


def _connect_to_database(url: str) -> None:
    psycopg2.connect(url, connect_timeout=SECONDS_TO_ANSWER).close()


def _ping_redis(url: str) -> None:
    with redis.Redis.from_url(
        url, socket_connect_timeout=SECONDS_TO_ANSWER, socket_timeout=SECONDS_TO_ANSWER
    ) as client:
        client.ping()


def _is_unambiguous(url: str) -> bool:
    """Whether it is clear where the password ends.

    An unescaped character in it would move the border between password and host, and part of the password
    would be looked up, and shown, as a host or a port.
    """
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  (raises when it is not a number)
    except ValueError:
        return False
    login, at, _ = parts.netloc.rpartition("@")
    moved = "@" in login or login.count(":") > 1 or (not at and "@" in parts.path + parts.query)
    return not (moved or parts.fragment)


def _without_secrets(text: str, url: str) -> str:
    parts = urlsplit(url)
    secrets = [value for key, value in parse_qsl(parts.query) if "password" in key]
    if parts.password:
        secrets += [parts.password, unquote(parts.password)]
    for secret in filter(None, secrets):
        text = text.replace(secret, "***")
    return text

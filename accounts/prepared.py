"""Prepared statements, planned once per connection: for the few statements that run for every answer."""

from collections import Counter
from collections.abc import Sequence
from time import monotonic
from typing import Any
from weakref import WeakKeyDictionary

from django.db import connection
from psycopg2.extensions import connection as Connection

# A plan made while a table was small soon becomes a bad one. So each is replaced after this many uses, or
# as soon as the statement took this many seconds, which with a good plan none of them does.
USES_PER_PLAN = 500
SLOW_SECONDS = 0.3

_used: WeakKeyDictionary[Connection, Counter[str]] = WeakKeyDictionary()


def one(name: str, statement: str, values: Sequence[Any]) -> tuple[Any, ...] | None:
    """The statement's first row."""
    return next(iter(rows(name, statement, values)), None)


def rows(name: str, statement: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    """All rows of the statement.

    The statement has %s for each value, with a cast where its place does not give the type. A name must
    always belong to the same statement.
    """
    with connection.cursor() as cursor:
        used = _used.setdefault(connection.connection, Counter())
        if used[name] == USES_PER_PLAN:
            cursor.execute(f"DEALLOCATE {name}")
            del used[name]
        if not used[name]:
            cursor.execute(f"PREPARE {name} AS {_numbered(statement)}")
        used[name] += 1
        began = monotonic()
        cursor.execute(f"EXECUTE {name} ({', '.join(['%s'] * len(values))})", values)
        if monotonic() - began > SLOW_SECONDS:  # or it waited for a lock, and a new plan changes nothing
            used[name] = USES_PER_PLAN
        return cursor.fetchall()


def _numbered(statement: str) -> str:
    first, *rest = statement.split("%s")
    return first + "".join(f"${number}{part}" for number, part in enumerate(rest, 1))

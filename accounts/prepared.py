"""Statements that the database plans once for a connection: for the few that are made for each answer."""

from collections import Counter
from collections.abc import Sequence
from time import monotonic
from typing import Any
from weakref import WeakKeyDictionary

from django.db import connection
from psycopg2.extensions import connection as Connection

# A plan that was made while a table was small is a bad one soon after: it is made anew after so many times,
# and at once when it took so many seconds, which none of these does with a good plan.
TIMES = 500
SLOW = 0.3

_used: WeakKeyDictionary[Connection, Counter[str]] = WeakKeyDictionary()


def one(name: str, statement: str, values: Sequence[Any]) -> tuple[Any, ...] | None:
    """The first row that the statement gives."""
    return next(iter(rows(name, statement, values)), None)


def rows(name: str, statement: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    """All rows. The values stand in the statement as %s, with their types where it is not plain from their
    place. One name stands for one statement."""
    with connection.cursor() as cursor:
        used = _used.setdefault(connection.connection, Counter())
        if used[name] == TIMES:
            cursor.execute(f"DEALLOCATE {name}")
            del used[name]
        if not used[name]:
            cursor.execute(f"PREPARE {name} AS {_numbered(statement)}")
        used[name] += 1
        began = monotonic()
        cursor.execute(f"EXECUTE {name} ({', '.join(['%s'] * len(values))})", values)
        if monotonic() - began > SLOW:  # or it waited for a lock, and is planned once more for nothing
            used[name] = TIMES
        return cursor.fetchall()


def _numbered(statement: str) -> str:
    first, *rest = statement.split("%s")
    return first + "".join(f"${number}{part}" for number, part in enumerate(rest, 1))

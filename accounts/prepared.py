"""Prepared statements, planned once per connection: for the few statements that run for every answer, and
for every block of an archive."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from itertools import count
from time import monotonic
from typing import Any
from weakref import WeakKeyDictionary

from django.db import connection
from django.db.models import QuerySet
from psycopg2.extensions import AsIs
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
    return _rows(name, _numbered(statement), values)


def _rows(name: str, numbered: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    """As `rows`, of a statement with $1, $2 and so on."""
    with connection.cursor() as cursor:
        used = _used.setdefault(connection.connection, Counter())
        if used[name] == USES_PER_PLAN:
            cursor.execute(f"DEALLOCATE {name}")
            del used[name]
        if not used[name]:
            cursor.execute(f"PREPARE {name} AS {numbered}")
        used[name] += 1
        began = monotonic()
        cursor.execute(f"EXECUTE {name} ({', '.join(['%s'] * len(values))})", values)
        if monotonic() - began > SLOW_SECONDS:  # or it waited for a lock, and a new plan changes nothing
            used[name] = USES_PER_PLAN
        return cursor.fetchall()


class Prepared:
    """The statement of a queryset, which Django compiles once and PostgreSQL plans once.

    `markers` stand in the queryset for values that each use has of its own. They must differ from all its
    other values, and be valid where they stand. Columns come as the database gives them: JSON as text.
    """

    def __init__(self, name: str, queryset: QuerySet[Any, Any], markers: Collection[str | int]) -> None:
        statement, values = queryset.query.sql_with_params()
        self._name, self._order = name, [value for value in values if value in markers]
        with connection.cursor() as cursor:
            numbers = count(1)
            here = [AsIs(f"${next(numbers)}") if value in markers else value for value in values]
            self._numbered = cursor.mogrify(statement, here).decode()

    def rows(self, values: Mapping[str | int, Any]) -> list[tuple[Any, ...]]:
        """All rows, with the values by their markers."""
        return _rows(self._name, self._numbered, [values[marker] for marker in self._order])


@cache
def _numbered(statement: str) -> str:
    first, *rest = statement.split("%s")
    return first + "".join(f"${number}{part}" for number, part in enumerate(rest, 1))

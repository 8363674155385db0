"""Adds rows to the database by COPY: one statement for any number of rows, with no values in its SQL."""

import io
import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import NOT_PROVIDED, Field, Model

# Characters that COPY's text format escapes.
_SPECIAL = re.compile(r"[\\\t\n\r]")
_ESCAPED = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})


def reserve(model: type[Model], number: int) -> list[int]:
    """This many primary keys that no one else gets."""
    if not number:
        return []
    table, column = model._meta.db_table, model._meta.pk.column
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, %s)) FROM generate_series(1, %s)",
            [table, column, number],
        )
        return [row[0] for row in cursor.fetchall()]


def copy(template: Model, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add a row like `template` for each of `rows`, which holds the columns that differ, always in one order.

    Columns with a database default get it, unless `rows` holds them.
    """
    if not rows:
        return
    meta = template._meta
    by_name = {field.attname: field for field in meta.concrete_fields} | {"pk": meta.pk}
    constant = [
        field for field in meta.concrete_fields if field.attname not in rows[0] and _needs_value(field)
    ]
    columns = [*(by_name[name].column for name in rows[0]), *(field.column for field in constant)]
    end = "".join(f"\t{_text(getattr(template, field.attname))}" for field in constant) + "\n"
    lines = ("\t".join(map(_text, row.values())) + end for row in rows)
    # Django itself translates no error of a COPY.
    with connection.cursor() as cursor, connection.wrap_database_errors:
        named = ", ".join(f'"{column}"' for column in columns)
        cursor.copy_expert(f'COPY "{meta.db_table}" ({named}) FROM STDIN', io.StringIO("".join(lines)))


def _needs_value(field: Field) -> bool:
    return not field.primary_key and field.db_default is NOT_PROVIDED


def _text(value: Any) -> str:
    r"""As COPY reads it.

    >>> _text("a\tb"), _text(None), _text(b"\x00a"), _text(True), _text({})
    ('a\\tb', '\\N', '\\\\x0061', 't', '{}')
    """
    as_text = _AS_TEXT.get(type(value))
    if as_text is None and isinstance(value, str):  # a choice
        return _escaped(str(value))
    if as_text is None:
        raise TypeError(f"a column cannot be copied from {type(value).__name__}")
    return as_text(value)


def _escaped(value: str) -> str:
    return value.translate(_ESCAPED) if _SPECIAL.search(value) else value


_AS_TEXT: dict[type, Callable[[Any], str]] = {
    type(None): lambda value: r"\N",
    bool: lambda value: "t" if value else "f",
    int: str,
    float: repr,
    str: _escaped,
    bytes: lambda value: rf"\\x{value.hex()}",
    datetime: datetime.isoformat,
    dict: lambda value: _escaped(json.dumps(value)),
    list: lambda value: _escaped(json.dumps(value)),
}

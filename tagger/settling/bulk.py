"""Update many rows in one statement, with a VALUES list instead of a CASE for each row and column."""

from collections.abc import Sequence
from typing import cast

from django.db import connection
from django.db.models import Field, Model
from psycopg2.extras import execute_values


def update(rows: Sequence[Model], fields: Sequence[str]) -> None:
    """Write these fields of the rows, which are all of one model."""
    if not rows:
        return
    meta = rows[0]._meta
    columns = [cast(Field, meta.get_field(name)) for name in fields]
    pk = meta.pk
    typed = ", ".join(f"%s::{field.db_type(connection)}" for field in (pk, *columns))
    written = ", ".join(f'"{field.column}" = made."{field.column}"' for field in columns)
    names = ", ".join(f'"{field.column}"' for field in (pk, *columns))
    values = [
        [field.get_db_prep_save(getattr(row, field.attname), connection) for field in (pk, *columns)]
        for row in rows
    ]
    with connection.cursor() as cursor:
        execute_values(
            cursor,
            f'UPDATE "{meta.db_table}" SET {written} FROM (VALUES %s) AS made ({names})'
            f' WHERE "{meta.db_table}"."{pk.column}" = made."{pk.column}"',
            values,
            template=f"({typed})",
            page_size=len(values),
        )

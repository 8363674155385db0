"""Makes many rows of a table as copies of one, inside the database: new columns need no change here."""

import io
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, models

# All but primary keys. A unique constraint's index goes and comes with it.
INDEXES = """
    SELECT each.indrelid::regclass, each.indexrelid::regclass, pg_get_indexdef(each.indexrelid),
        quote_ident(held.conname), pg_get_constraintdef(held.oid)
    FROM pg_index each LEFT JOIN pg_constraint held ON held.conindid = each.indexrelid AND held.contype = 'u'
    WHERE each.indrelid = ANY (%s::regclass[]) AND NOT each.indisprimary
"""


class Lines(io.TextIOBase):
    """A file of lines, for COPY to read."""

    def __init__(self, lines: Iterator[str]) -> None:
        self.lines, self.rest = lines, ""

    def read(self, size: int | None = -1) -> str:
        """`size` characters, or what is left. COPY always gives a size."""
        pieces: list[str] = [self.rest]
        length = len(self.rest)
        while length < (size or 0) and (line := next(self.lines, "")):
            pieces.append(line)
            length += len(line)
        text = "".join(pieces)
        self.rest = text[size:]
        return text[:size]


def insert(model: type[models.Model], pk: int, own: dict[str, str], rows: str) -> None:
    """Insert a copy of the model's row `pk`, with `own` columns, for each of `rows`, called `made`."""
    fields = model._meta.local_concrete_fields
    columns = [str(each.column) for each in fields if not each.primary_key or each.column in own]
    values = ", ".join(own.get(column, f"first.{column}") for column in columns)
    table = model._meta.db_table
    one = f"(SELECT * FROM {table} WHERE id = {pk}) first"
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} FROM {one}, {rows}")


@contextmanager
def without_indexes(*tables: type[models.Model]) -> Iterator[None]:
    """Build the indexes anew after the rows are there; in a transaction.

    Where keys are random, as hashes are, and the index is larger than the database's memory, adding each row
    to it takes many times as long.
    """
    with connection.cursor() as cursor:
        cursor.execute(INDEXES, [[each._meta.db_table for each in tables]])
        found = cursor.fetchall()
        for table, index, _, constraint, _ in found:
            drop = (
                f"ALTER TABLE {table} DROP CONSTRAINT {constraint}" if constraint else f"DROP INDEX {index}"
            )
            cursor.execute(drop)
        yield
        cursor.execute("SET LOCAL maintenance_work_mem = '512MB'")
        for table, _, index, constraint, rule in found:
            cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {constraint} {rule}" if constraint else index)

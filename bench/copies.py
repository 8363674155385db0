"""Makes many rows of a table as copies of one, inside the database: new columns need no change here."""

import io
from collections.abc import Iterator

from django.db import connection, models


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

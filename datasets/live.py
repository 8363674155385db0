"""The rule of which clips may be used now, as SQL for hand-written statements."""

from django.db import connection
from django.db.models.expressions import RawSQL

from accounts.models import Purpose

from .models import Task


def task_condition(purpose: Purpose, pk: str) -> str:
    """A condition: the clip of the task whose id is `pk`, an expression of the statement, may be used now.

    It is checked for each row separately; see accounts.consent.per_row.
    """
    rows = Task.objects.live_for(purpose, per_row=True).filter(pk=RawSQL(pk, ())).values("pk")
    with connection.cursor() as cursor:
        return f"EXISTS ({cursor.mogrify(*rows.query.sql_with_params()).decode()})"

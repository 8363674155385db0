"""The one rule of which clips may be used now, as a condition for statements that are written by hand."""

from django.db import connection
from django.db.models.expressions import RawSQL

from accounts.models import Purpose

from .models import Task


def tasks(purpose: Purpose, pk: str) -> str:
    """May the clip of the task be used whose id the statement calls `pk`? Asked of each row by itself."""
    rows = Task.objects.live_for(purpose, few=True).filter(pk=RawSQL(pk, ())).values("pk")
    with connection.cursor() as cursor:
        return f"EXISTS ({cursor.mogrify(*rows.query.sql_with_params()).decode()})"

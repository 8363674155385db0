"""The cost of lending in the database: EXPLAIN (ANALYZE, BUFFERS) of every statement."""

from datetime import datetime
from statistics import median
from typing import Any

from django.db import connection, transaction

from accounts.models import User
from datasets.models import Campaign
from tagger.lending import assignments

TIMES = 5
COUNT = 10
EXPLAINED = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "EXECUTE")


class Explaining:
    """Wraps a connection's execute: each statement is explained, rolled back, and then executed as usual."""

    def __init__(self) -> None:
        self.statements: list[dict[str, Any]] = []

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        if sql.lstrip().startswith(EXPLAINED):
            self.statements.append(_explained(context["cursor"].cursor, sql, params))
        return execute(sql, params, many, context)


def _explained(cursor: Any, sql: str, params: Any) -> dict[str, Any]:
    cursor.execute("SAVEPOINT before_explaining")
    cursor.execute("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + sql, params)
    [explained] = cursor.fetchone()[0]
    cursor.execute("ROLLBACK TO SAVEPOINT before_explaining")
    plan = explained["Plan"]
    return {
        "statement": sql[:60],
        "milliseconds": explained["Planning Time"] + explained["Execution Time"],
        "buffers": plan["Shared Hit Blocks"] + plan["Shared Read Blocks"],
    }


def lending(annotator: User, campaign: Campaign, now: datetime) -> dict[str, float]:
    """Milliseconds and 8-kB buffers to lend ten to this person: medians of several runs, each rolled back."""
    runs = [_once(annotator, campaign, now) for _ in range(TIMES)]
    return {
        name: median(sum(each[name] for each in run) for run in runs) for name in ("milliseconds", "buffers")
    }


def _once(annotator: User, campaign: Campaign, now: datetime) -> list[dict[str, Any]]:
    explaining = Explaining()
    with transaction.atomic():
        with connection.execute_wrapper(explaining):
            assignments.lend(annotator, campaign, COUNT, now)
        transaction.set_rollback(True)
    return explaining.statements

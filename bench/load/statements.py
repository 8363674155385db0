"""Which statements the site sends for an answer, from the server's log with the time of each.

The log has everything that reaches the server, including BEGIN, COMMIT and the check that a connection is
alive. It is on only for a separate short phase, never while processor time is measured.
"""

import re
from collections import defaultdict
from dataclasses import dataclass

from bench.load.stage import Stage

LOGGED = re.compile(r"^web\|LOG:  duration: ([\d.]+) ms  statement: (.*)$", re.M)
WIDTH = 110


@dataclass
class Cost:
    times: int = 0
    milliseconds: float = 0.0


def start(stage: Stage) -> int:
    """Log every statement from now on; returns the position in the log."""
    _set(stage, "SET log_line_prefix = '%a|'", "SET log_min_duration_statement = 0")
    return stage.home.log("postgres").stat().st_size


def stop(stage: Stage, since: int) -> dict[str, Cost]:
    """The statements that the web server has sent since, grouped."""
    _set(stage, "RESET log_min_duration_statement", "RESET log_line_prefix")
    with stage.home.log("postgres").open(errors="replace") as file:
        file.seek(since)
        text = file.read()
    found: dict[str, Cost] = defaultdict(Cost)
    for milliseconds, statement in LOGGED.findall(text):
        cost = found[alike(statement)]
        cost.times += 1
        cost.milliseconds += float(milliseconds)
    return dict(found)


def alike(statement: str) -> str:
    """
    >>> alike('''SELECT "a"."b", 'x' FROM "a" WHERE "a"."id" IN (1, 2)''')
    'SELECT … FROM a WHERE a.id IN (…)'
    """
    text = re.sub(r"'(?:[^']|'')*'(::\w+)?|\b\d+\b", "?", statement)
    text = re.sub(r"^SELECT .*? FROM ", "SELECT … FROM ", text).replace('"', "")
    text = re.sub(r"\(\?(, \?)*\)(, \(\?(, \?)*\))*", "(…)", text)
    return text if len(text) <= WIDTH else text[: WIDTH - 1] + "…"


def _set(stage: Stage, *changes: str) -> None:
    with stage.database.cursor() as cursor:
        for change in changes:
            cursor.execute(f"ALTER SYSTEM {change}")
        cursor.execute("SELECT pg_reload_conf()")

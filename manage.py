#!/usr/bin/env python
"""Django's commands, with one-line messages for the faults that newcomers meet."""

import io
import os
import sys
from pathlib import Path


def main() -> int:
    # On a terminal that is not UTF-8, a letter that it lacks becomes an escape instead of a traceback.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tagger.settings")
    try:
        from django.core.management import execute_from_command_line  # noqa: PLC0415
        from django.db import OperationalError  # noqa: PLC0415
    except ModuleNotFoundError as error:
        return refuse(
            f"{error.name} is not installed: run `make run` once, then use .venv/bin/python manage.py …"
        )
    try:
        execute_from_command_line(sys.argv)
    except OperationalError as error:
        if not is_about_connecting(error):
            raise
        return refuse(no_database(error))
    except PermissionError as error:
        if Path(error.filename or "").name != "servers.json":
            raise
        return refuse(f"{error.filename} cannot be read: run this as the user who started `make run`")
    return 0


def is_about_connecting(error: Exception) -> bool:
    """Whether the connection failed; other operational errors, such as a deadlock, need their traceback."""
    return "connection to server" in str(error) or "could not translate host name" in str(error)


def no_database(error: Exception) -> str:
    if os.environ.get("DATABASE_URL"):
        return f"cannot connect to the server of DATABASE_URL: {' '.join(str(error).split())}"
    home = Path(os.environ.get("TAGGER_HOME") or Path(__file__).resolve().parent / "var").absolute()
    return f"no site is running in {home}: start `make run` in another terminal, or set DATABASE_URL"


def refuse(reason: str) -> int:
    print(f"manage.py: {reason}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())

"""The site's SECRET_KEY in a file of its home, unless the environment has one."""

import re
import secrets
import shlex
from contextlib import closing
from pathlib import Path

import psycopg2

from . import durable
from .refusal import StartRefused

NAME = "secret_key"
MIN_LENGTH = 64


def read_or_make(home: Path, database: str) -> str:
    """The home's key; made if there is none yet. `database`: its URL.

    Raises StartRefused if the key is missing or damaged, and the database already has people: with another
    key their sessions and the links mailed to them would end, and no one would know why.
    """
    path = home / NAME
    key = durable.read(path).strip()
    if re.fullmatch(rf"[!-~]{{{MIN_LENGTH},}}", key):  # printable, without spaces
        path.chmod(0o600)  # an operator may have put it back from a backup
        return key
    if _has_people(database):
        raise StartRefused(
            f"{path} is {'damaged' if key else 'empty' if path.exists() else 'missing'}, but people use this"
            " site's database: put the file back from a backup, or make a new key, with which everyone has to"
            " log in again: (umask 077; python3 -c 'import secrets; print(secrets.token_hex(32))' >"
            f" {shlex.quote(str(path))})"
        )
    key = secrets.token_urlsafe(48)
    durable.write(path, key)
    return key


def _has_people(database: str) -> bool:
    with closing(psycopg2.connect(database)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('accounts_user') IS NOT NULL")
        if cursor.fetchone() != (True,):
            return False
        cursor.execute("SELECT EXISTS (SELECT FROM accounts_user)")
        return bool(cursor.fetchone() == (True,))

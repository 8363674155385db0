"""Databases for tests as copies of one that is migrated: a run migrates once."""

import os
import subprocess
import sys
from contextlib import closing, contextmanager
from urllib.parse import urlsplit

import psycopg2
import pytest
from django.db import connection
from psycopg2 import sql

from tests.support.servers import ROOT, SHARED

TEMPLATE = "tagger_template"
ONE_AT_A_TIME = 411  # an advisory lock of the server's


@pytest.fixture(scope="session")
def template():
    """The name of a migrated database without rows, to be copied."""
    with server() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [ONE_AT_A_TIME])  # until the connection is closed
        if not exists(cursor, TEMPLATE):
            create(cursor, TEMPLATE + "_draft")
            migrate(TEMPLATE + "_draft")
            rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
            cursor.execute(rename.format(sql.Identifier(TEMPLATE + "_draft"), sql.Identifier(TEMPLATE)))
    return TEMPLATE


@pytest.fixture(scope="session")
def django_db_modify_db_settings(request, django_db_modify_db_settings):
    """The test database is a copy too, unless a single process finds no template: it migrates its own."""
    if SHARED in os.environ and (hasattr(request.config, "workerinput") or is_template_there()):
        connection.settings_dict["TEST"]["TEMPLATE"] = request.getfixturevalue("template")


def is_template_there():
    with server() as cursor:
        return exists(cursor, TEMPLATE)


def url(name):
    """The address of this database on the tests' server."""
    return urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()


@contextmanager
def server():
    """A cursor outside of any transaction, in a database that is never copied."""
    with closing(psycopg2.connect(url("postgres"))) as connected:
        connected.autocommit = True
        with connected.cursor() as cursor:
            yield cursor


def exists(cursor, name):
    cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
    return cursor.fetchone() is not None


def create(cursor, name, template=None):
    """Instead of the one of this name, whose connections are ended."""
    drop(cursor, name)
    copied = sql.SQL(" TEMPLATE {}").format(sql.Identifier(template)) if template else sql.SQL("")
    cursor.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)) + copied)


def drop(cursor, name):
    cursor.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def migrate(name):
    command = [sys.executable, "manage.py", "migrate", "--noinput"]
    environment = os.environ | {"DATABASE_URL": url(name)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr

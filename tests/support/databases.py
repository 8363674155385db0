"""Databases for tests as copies of one that is migrated: a run migrates once."""

import os
import subprocess
import sys
from contextlib import closing, contextmanager
from urllib.parse import urlsplit

import psycopg2
import pytest
from django.db import connection, transaction
from django.test import TransactionTestCase
from psycopg2 import sql

from tests.support.servers import ROOT, SHARED

TEMPLATE = "tagger_template"
ONE_AT_A_TIME = 411  # an advisory lock of the server's
KEPT = {"django_content_type", "auth_permission"}  # migrating wrote their rows, and no test changes them


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


@pytest.fixture(scope="session", autouse=True)
def quick_ends():
    """A test whose rows are committed removes those alone.

    Django truncates every table, which makes new files for each, and then writes all permissions anew.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda case: remove_rows())
        yield


def remove_rows():
    """In any order: as a replica the server neither checks references nor calls triggers."""
    tables = sorted(set(connection.introspection.django_table_names(only_existing=True)) - KEPT)
    look = sql.SQL("SELECT {} WHERE EXISTS (SELECT FROM {})")
    looks = [look.format(sql.Literal(table), sql.Identifier(table)) for table in tables]
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL(" UNION ALL ").join(looks))
        written = [sql.Identifier(table) for (table,) in cursor.fetchall()]
        removals = [sql.SQL("DELETE FROM {}").format(table) for table in written]
        as_replica = [sql.SQL("SET LOCAL session_replication_role = replica"), *removals]
        with transaction.atomic():
            cursor.execute(sql.SQL("; ").join(as_replica))


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

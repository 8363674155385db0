"""Olga owns campaigns and brings clips; her files are short sounds, each of another pitch."""

import hashlib

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import Role, User
from datasets.clips import vault
from datasets.imports import gathering, running
from datasets.imports.gathering import Named, Part
from tests.conftest import NOW
from tests.support import factors, sounds

COLLECTION, REFERENCE = "Zwölf Monde", "Ordner Quittengelb 7"


def sound(number, seconds=0.4):
    return sounds.in_format("wav", sounds.tone(seconds, hertz=300 + 17 * number))


@pytest.fixture
def olga(db):
    vault.establish()
    return User.objects.create_user("olga")


@pytest.fixture
def owner(juniper, olga):
    """Olga with her role and a second factor, as the owner of Juniper."""
    olga.roles = [Role.ANNOTATOR, Role.OWNER]
    olga.save()
    juniper.owner = olga
    juniper.save()
    return factors.give_factor(olga)


@pytest.fixture
def bring(olga, juniper):
    """Makes an import with these files, sent whole."""

    def brought(files, campaign=juniper, licence="CC-BY-4.0", public=False, owner=olga):
        run = gathering.make(campaign, owner, COLLECTION, REFERENCE, NOW, licence=licence, public=public)
        send(run, files)
        return run

    return brought


def named(files):
    return [Named(name, len(body), hashlib.sha256(body).hexdigest()) for name, body in files.items()]


def send(run, files):
    """Name these files and send what is not here yet, a part each."""
    rows = gathering.name_files(run, named(files), NOW)
    wanted = zip(rows, files.values(), strict=True)
    missing = [
        Part(row.pk, row.received, body[row.received :]) for row, body in wanted if row.state == "waiting"
    ]
    gathering.receive(run, [part for part in missing if part.content], NOW)
    return rows


def run_to_the_end(run):
    while running.proceed(timezone.now, lambda: True):
        pass
    run.refresh_from_db()
    return run.counts


def start(run, **options):
    running.start(run, NOW, **options)
    return run_to_the_end(run)


def uploads(home):
    """The files in which bytes wait."""
    return [path for path in (home / "uploads").rglob("*") if path.is_file()]


def database_in_plain():
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT t::text FROM "{table}" t')
            yield from (row[0] for row in cursor.fetchall())

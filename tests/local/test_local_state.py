"""A power cut may leave files empty or torn: the next start rebuilds them, or says in one line what to do."""

import json
import re
import stat
import subprocess
from contextlib import closing

import psycopg2
import pytest

from accounts.models import User
from tagger.local import addresses, secret_key
from tagger.local.refusal import StartRefused
from tests.support import databases, servers
from tests.support.mutants import mutant
from tests.support.site import Site

EMPTY, TORN, GARBAGE = b"", b'{"a": "', b"\xff\xfe\0[{"
each_damage = pytest.mark.parametrize("damage", [EMPTY, TORN, GARBAGE], ids=["empty", "torn", "garbage"])


@pytest.fixture(scope="module")
def demo_site(tmp_path_factory):
    """A site with demo data that ran and was stopped."""
    site = Site(tmp_path_factory.mktemp("site") / "home", TAGGER_DEMO="1")
    site.start()
    site.stop()
    yield site
    site.kill()
    site.remove_data()


@pytest.mark.thorough
@each_damage
def test_a_site_starts_whatever_became_of_its_files_of_state(demo_site, damage):
    """All at once; of the passwords, which nothing can bring back, it says how to get new ones."""
    home = demo_site.home
    for name in ("run/servers.json", "run/beat-schedule", "run/lock", "demo-accounts.json", "home.json"):
        (home / name).write_bytes(damage)
    for name in ("home.json", "pg_hba.conf", "pg_ident.conf", "postmaster.pid", "postmaster.opts"):
        (home / "postgres" / name).write_bytes(damage)
    demo_site.start()
    assert demo_site.is_ready() and "Traceback" not in demo_site.said and "starting it" not in demo_site.said
    assert f"{home}/demo-accounts.json is empty or damaged, so the demo accounts' passwords" in demo_site.said
    assert "volunteer " in demo_site.manage("load_demo", "--new-passwords").stdout
    assert set(json.loads((home / "demo-accounts.json").read_text())) == {"passwords", "finished"}
    demo_site.stop()


@pytest.mark.thorough
@each_damage
def test_a_damaged_secret_key_ends_the_start(demo_site, damage):
    path = demo_site.home / "secret_key"
    key = path.read_bytes()
    path.write_bytes(damage)
    assert demo_site.refusal(at_once=False).startswith(f"{path} is ")
    assert path.read_bytes() == damage
    path.write_bytes(key)


@pytest.mark.thorough
@mutant(
    "static files that a power cut damaged are collected anew",
    "tagger/management/commands/prepare_site.py",
    kept_by="shutil.rmtree(settings.STATIC_ROOT, ignore_errors=True)",
    broken="pass",
)
def test_static_files_are_collected_anew_at_each_start(demo_site):
    site = Site(demo_site.home, DEBUG="0")
    try:
        site.start()
        site.stop()
        static = site.home / "static"
        kept = {path: path.read_bytes() for path in static.rglob("*.css")}
        for path in kept:
            path.write_bytes(EMPTY)
        (static / "staticfiles.json").write_bytes(TORN)
        site.start()
        assert {path: path.read_bytes() for path in kept} == kept != {}
        site.stop()
    finally:
        site.kill()


@mutant(
    "a damaged record of the last run does not end the next start",
    "tagger/local/addresses.py",
    kept_by="    except (KeyError, TypeError, ValueError, AttributeError):",
    broken="    except KeyError:",
)
@pytest.mark.parametrize(
    "wrong",
    [
        {"pid": None},
        {"pid": "many"},
        {"started": 5},
        {"sockets": None},
        {"home": 5},
        {"addresses": []},
        {"addresses": {"DATABASE_URL": 5}},
    ],
)
def test_a_record_of_a_run_with_wrong_values_is_none(tmp_path, wrong):
    (tmp_path / "run").mkdir()
    addresses.write(tmp_path, {"DATABASE_URL": "postgresql:///x"}, tmp_path)
    record = json.loads(addresses.path(tmp_path).read_text())
    addresses.path(tmp_path).write_text(json.dumps(record | wrong))
    assert addresses.find(tmp_path) == {} and addresses.read(tmp_path) is None


def test_a_record_of_an_earlier_version_is_read(tmp_path):
    (tmp_path / "run").mkdir()
    addresses.write(tmp_path, {"DATABASE_URL": "postgresql:///x"}, tmp_path)
    record = json.loads(addresses.path(tmp_path).read_text())
    del record["home"]
    addresses.path(tmp_path).write_text(json.dumps(record))
    assert addresses.find(tmp_path) == {"DATABASE_URL": "postgresql:///x"}


@pytest.fixture
def database():
    """The address of an empty database."""
    name = f"state_{servers.number_of_process()}"
    with databases.server() as cursor:
        databases.create(cursor, name)
    yield databases.url(name)
    with databases.server() as cursor:
        databases.drop(cursor, name)


def add_table(database, people):
    """The table of people, of which only the number of rows matters here."""
    with closing(psycopg2.connect(database)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE {User._meta.db_table} AS SELECT n FROM generate_series(1, {people}) n")


LOST = [None, EMPTY, TORN, GARBAGE, b"\0" * 64, b"x" * 63, b"x" * 30 + b" " + b"x" * 40]


@mutant(
    "a lost secret key is not replaced in silence while people use the database",
    "tagger/local/secret_key.py",
    kept_by="    if _has_people(database):",
    broken="    if False:",
)
@pytest.mark.parametrize("content", LOST)
def test_a_lost_secret_key_is_refused_while_there_are_people(tmp_path, database, content):
    add_table(database, people=1)
    path = tmp_path / "secret_key"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(StartRefused) as refused:
        secret_key.read_or_make(tmp_path, database)
    what = "missing" if content is None else "(empty|damaged)"
    assert re.match(
        rf"{path} is {what}, but people use this site's database: put the file", str(refused.value)
    )
    assert (path.read_bytes() if path.exists() else None) == content
    remedy = re.search(r"\(umask.*\)", str(refused.value))[0]
    subprocess.run(remedy, shell=True, check=True)
    assert secret_key.read_or_make(tmp_path, database) == path.read_text().strip()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("content", LOST)
@pytest.mark.parametrize("has_table", [False, True])
def test_a_lost_secret_key_is_made_again_before_there_are_people(tmp_path, database, content, has_table):
    if has_table:
        add_table(database, people=0)
    if content is not None:
        (tmp_path / "secret_key").write_bytes(content)
    key = secret_key.read_or_make(tmp_path, database)
    assert len(key) == 64 and secret_key.read_or_make(tmp_path, database) == key


def test_a_secret_key_from_a_backup_is_closed_to_others(tmp_path, database):
    (tmp_path / "secret_key").write_text("x" * 64 + "\n")
    (tmp_path / "secret_key").chmod(0o644)
    assert secret_key.read_or_make(tmp_path, database) == "x" * 64
    assert stat.S_IMODE((tmp_path / "secret_key").stat().st_mode) == 0o600

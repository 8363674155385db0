"""A home knows itself by the mark inside it: if it was moved, it works on; if it was copied, only one of both
runs; at the path of a removed home, it begins anew."""

import hashlib
import os
import shutil
import signal
from pathlib import Path

import pytest

from tagger.local import addresses, cluster, homes, identity, shared
from tagger.local.homes import Home
from tagger.local.identity import Mark
from tagger.local.refusal import StartRefused
from tests.support.homes import DatabaseOf, Launcher, refusal
from tests.support.mutants import mutant
from tests.support.site import Site

as_root = pytest.mark.skipif(
    os.geteuid() != 0, reason="only root's PostgreSQL has its data outside of a closed home"
)

EMPTY, TORN, GARBAGE = b"", b'{"id": "00', b"\xff\xfe[{"
DAMAGED = [EMPTY, TORN, GARBAGE, b"\0" * 66, b"[]", b'{"id": 5, "path": []}']


def copies(one, other):
    return (
        f"TAGGER_HOME {one} and {other} are copies of one home, and only one of them may run: to run this"
        f" one, first stop and remove {other}, or move it away; to start a new site, choose an empty folder:"
        " TAGGER_HOME=/some/folder make run"
    )


@pytest.fixture
def closed(tmp_path):
    """A folder that no other account can enter; what its homes left outside is removed at the end."""
    tmp_path.chmod(0o700)
    yield tmp_path
    for data in shared.FOLDER.glob("*") if os.geteuid() == 0 else ():
        mark = identity.read(data)
        if (mark and Path(mark.path).is_relative_to(tmp_path)) or data.name in names_of_data(tmp_path):
            shutil.rmtree(data)


def names_of_data(folder):
    """Those that data of the homes in this folder may have, with a mark or without, complete or not."""
    marks = filter(None, map(identity.read, folder.iterdir()))
    names = [f"postgres-{mark.id}" for mark in marks] + [unmarked_name(folder / "home")]
    return {name + suffix for name in names for suffix in ("", cluster.DRAFT)}


def begin(home):
    """A first start, with one row."""
    with DatabaseOf(home) as database:
        database.query("CREATE TABLE mine AS SELECT 'first' AS word")
    return identity.data(home).resolve()


def words(home):
    """The row; None if this database never had any."""
    with DatabaseOf(home) as database:
        (there,) = database.query("SELECT to_regclass('mine') IS NOT NULL")
        return database.query("SELECT word FROM mine")[0] if there else None


def copy(home, to):
    shutil.copytree(home, to, symlinks=True)
    return to


def make_older(home):
    """The layout of before there were marks; as root, PostgreSQL's data was named for the home's path."""
    data = identity.data(home).resolve()
    for folder in (home, data):
        (folder / identity.NAME).unlink()
    if identity.data(home).is_symlink():
        older = data.with_name(unmarked_name(home))
        data.rename(older)
        identity.data(home).unlink()
        identity.data(home).symlink_to(older)


def unmarked_name(home):
    return f"{home.name}-{hashlib.sha256(str(home).encode()).hexdigest()[:12]}"


def test_a_home_keeps_its_mark_and_its_database(closed):
    home = closed / "home"
    data = begin(home)
    mark = identity.read(home)
    assert mark.path == str(home) and identity.read(data) == mark
    assert words(home) == "first"
    assert identity.read(home) == mark


def test_a_moved_home_finds_its_database(closed):
    home, moved = closed / "home", closed / "moved"
    begin(home)
    home.rename(moved)
    assert words(moved) == "first"
    assert identity.read(moved).path == identity.read(identity.data(moved)).path == str(moved)


def test_a_copy_is_refused_while_the_original_exists_and_may_follow_it(closed):
    home = closed / "home"
    begin(home)
    other = copy(home, closed / "copy")
    assert refusal(other) == copies(other, home)
    assert words(home) == "first"
    shutil.rmtree(home)
    assert words(other) == "first"


def test_a_home_at_the_path_of_a_removed_one_begins_anew(closed):
    home = closed / "home"
    data = begin(home)
    id = identity.read(home).id
    shutil.rmtree(home)
    with DatabaseOf(home) as database:
        assert database.query("SELECT to_regclass('mine') IS NULL") == (True,)
    assert identity.read(home).id != id
    left = (
        f"An earlier site in {home} left its database in {data}: it is not used; remove it if you no longer"
    )
    assert any(line.startswith(left) for line in database.said) == (os.geteuid() == 0)


def test_an_older_home_gets_its_mark(closed):
    home = closed / "home"
    begin(home)
    make_older(home)
    assert words(home) == "first"
    assert identity.read(home) == identity.read(identity.data(home)) is not None


def test_an_older_home_that_was_moved_gets_its_mark(closed):
    home, moved = closed / "home", closed / "moved"
    begin(home)
    make_older(home)
    home.rename(moved)
    assert words(moved) == "first"


@as_root
def test_of_an_older_home_and_its_copy_the_first_to_start_has_the_database(closed):
    home = closed / "home"
    begin(home)
    make_older(home)
    other = copy(home, closed / "copy")
    assert words(other) == "first"
    assert refusal(home) == copies(home, other)
    shutil.rmtree(other)
    assert words(home) == "first"


@as_root
def test_a_copy_of_an_older_running_home_leaves_it_running(closed):
    home = closed / "home"
    begin(home)
    make_older(home)
    with DatabaseOf(home) as database:
        other = copy(home, closed / "copy")
        for folder in (home, other, identity.data(home)):  # as the earlier code ran it
            (folder / identity.NAME).unlink()
        assert refusal(other) == copies(other, home)
        assert database.query("SELECT word FROM mine") == ("first",)


@as_root
def test_a_new_home_does_not_use_the_data_of_an_older_one_that_was_removed(closed):
    home = closed / "home"
    begin(home)
    make_older(home)
    data = identity.data(home).resolve()
    shutil.rmtree(home)
    with DatabaseOf(home) as database:
        assert database.query("SELECT to_regclass('mine') IS NULL") == (True,)
    assert f"An earlier site in {home} left its database in {data}: it is not used;" in database.said[0]


@as_root
def test_data_outside_is_found_again_without_its_link(closed):
    home = closed / "home"
    begin(home)
    identity.data(home).unlink()
    assert words(home) == "first"


@pytest.mark.thorough
@mutant(
    "a first start that is killed leaves no half-made database",
    "tagger/local/cluster.py",
    kept_by="    draft = data.with_name(data.name + DRAFT)\n",
    broken="    draft = data\n",
)
def test_a_first_start_that_is_killed_at_any_step_is_completed_by_the_next_one(closed):
    """Killed before each folder, renamed file, link and program, until a start has no more such steps."""
    steps = 0
    while kill_a_start(closed / f"home{steps}", steps):
        steps += 1
    assert steps > 8
    for n in range(steps):
        home = closed / f"home{n}"
        begin(home)
        assert identity.read(home) == identity.read(identity.data(home))
        assert list(home.glob("*.new")) == []


def kill_a_start(home, steps):
    """Whether it got no further than this many steps."""
    code, *said = Launcher("tests.support.killed_homes", home, steps).end()
    assert code in (0, -signal.SIGKILL), said
    return code != 0


@as_root
def test_a_copy_without_its_link_is_refused_too(closed):
    home, moved = closed / "home", closed / "moved"
    begin(home)
    other = copy(home, closed / "copy")
    identity.data(other).unlink()
    home.rename(moved)
    assert words(moved) == "first"
    assert refusal(other) == copies(other, moved)


@as_root
def test_a_missing_database_is_not_replaced_by_an_empty_one(closed):
    home = closed / "home"
    data = begin(home)
    shutil.rmtree(data)
    link = identity.data(home)
    assert refusal(home) == (
        f"the database of TAGGER_HOME {home} is missing: {link} leads to {data}, where nothing is;"
        f" bring it back, or remove {link} to start with an empty database"
    )


def test_a_folder_without_a_database_is_not_taken_for_one(closed):
    home = closed / "home"
    data = begin(home)
    (data / "PG_VERSION").write_text("")
    assert refusal(home) == (
        f"{data} is not a PostgreSQL database: its file PG_VERSION is missing or damaged; bring back the"
        " folder from a backup, or remove it to start with an empty database"
    )


@pytest.mark.parametrize("content", [EMPTY, TORN, GARBAGE])
def test_a_home_starts_although_all_marks_and_rules_are_damaged(closed, content):
    home = closed / "home"
    data = begin(home)
    for file in (home / identity.NAME, data / identity.NAME, data / "pg_hba.conf", data / "pg_ident.conf"):
        file.write_bytes(content)
    assert words(home) == "first"
    assert identity.read(home) == identity.read(data) is not None


@as_root
def test_data_that_is_reached_through_a_copy_is_not_removed(closed):
    home = closed / "home"
    begin(home)
    other = copy(home, closed / "copy")
    cluster.remove(other)
    assert words(home) == "first"


def test_a_copy_of_a_running_site_neither_ends_it_nor_works_on_its_database(closed):
    home = closed / "home"
    with Site(home) as site:
        other = Site(copy_of_running(home, closed / "copy"))
        assert addresses.find(home) and addresses.find(other.home) == {}
        assert "no site is running in" in other.manage("migrate", "--check", check=False).stderr
        assert other.refusal() == copies(other.home, home)
        assert site.is_ready() and "starting it again" not in site.said
        assert site.manage("migrate", "--check").returncode == 0
    shutil.rmtree(other.home)


def copy_of_running(home, to):
    """PostgreSQL removes some files while its data is copied, if it is in the home."""
    shutil.copytree(home, to, symlinks=True, ignore=shutil.ignore_patterns("pg_*", "base", "*.pid"))
    return to


# What follows needs neither a server nor root.


def home_at(path, mark):
    path.mkdir(parents=True)
    identity.write(path, mark)
    return path


@mutant(
    "a copied home is refused while its original exists",
    "tagger/local/identity.py",
    kept_by="    return there if theirs is not None and theirs.id == mark.id else None",
    broken="    return None",
)
def test_a_copied_mark_is_refused(tmp_path):
    home = home_at(tmp_path / "home", Mark("0" * 32, str(tmp_path / "home")))
    other = copy(home, tmp_path / "copy")
    with pytest.raises(StartRefused, match="are copies of one home"):
        identity.settle(other)
    assert identity.settle(home) == identity.read(home)
    home.rename(tmp_path / "moved")
    assert identity.settle(other).path == str(other)


@mutant(
    "a home that can be reached by two paths is not its own twin",
    "tagger/local/identity.py",
    kept_by="there.samefile(here)",
    broken="False",
)
def test_another_path_to_the_same_home_is_no_copy(tmp_path):
    home = home_at(tmp_path / "home", Mark("0" * 32, str(tmp_path / "link")))
    (tmp_path / "link").symlink_to(home)
    assert identity.settle(tmp_path / "link").path == str(home)


@mutant(
    "of two copies that share their data only one runs, wherever they were moved",
    "tagger/local/identity.py",
    kept_by="filter(None, (own, of_data))",
    broken="filter(None, (own,))",
)
def test_data_that_another_home_uses_is_refused(tmp_path):
    """The original was moved after it was copied, so that its copy no longer finds it at the old path."""
    home = home_at(tmp_path / "home", Mark("0" * 32, str(tmp_path / "home")))
    data = home_at(tmp_path / "data", identity.read(home))
    identity.data(home).symlink_to(data)
    other = copy(home, tmp_path / "copy")
    moved = home.rename(tmp_path / "moved")
    identity.write(data, identity.settle(moved))
    with pytest.raises(StartRefused) as refused:
        identity.settle(other)
    assert str(refused.value) == copies(other, moved)


def test_a_home_that_cannot_be_looked_into_counts_as_gone(tmp_path):
    """The home was moved out of a folder that is closed to the account which runs it now."""
    (tmp_path / "loop").symlink_to(tmp_path / "loop")  # nobody can follow it, not even root
    home = home_at(tmp_path / "home", Mark("0" * 32, str(tmp_path / "loop" / "home")))
    assert identity.settle(home).path == str(home)


@pytest.mark.parametrize("content", DAMAGED)
def test_a_damaged_mark_is_restored_from_the_data(tmp_path, content):
    home = home_at(tmp_path / "home", Mark("0" * 32, str(tmp_path / "home")))
    home_at(identity.data(home), identity.read(home))
    (home / identity.NAME).write_bytes(content)
    assert identity.settle(home) == identity.read(home) == Mark("0" * 32, str(home))


@mutant(
    "what a power cut left of a home's mark in its database is written again",
    "tagger/local/cluster.py",
    kept_by="    if identity.read(data) != mark:",
    broken="    if False:",
)
@pytest.mark.parametrize("content", DAMAGED)
def test_a_damaged_mark_in_the_data_is_written_again(tmp_path, content):
    mark = Mark("0" * 32, str(tmp_path))
    for name in (identity.NAME, "pg_hba.conf", "pg_ident.conf"):
        (tmp_path / name).write_bytes(content)
    cluster.repair(tmp_path, mark)
    assert identity.read(tmp_path) == mark


@mutant(
    "a database whose access rules a power cut left empty lets its own site in",
    "tagger/local/cluster.py",
    kept_by='if ACCESS not in read(data / "pg_hba.conf") or not set(_mappings()).issubset(rules):',
    broken="if False:",
)
@pytest.mark.parametrize("name", ["pg_hba.conf", "pg_ident.conf"])
@pytest.mark.parametrize(
    "content", [*DAMAGED, b"local all all peer map=hou", b"house ro", b"house root tagger"]
)
def test_damaged_access_rules_are_written_again(tmp_path, name, content):
    mark = Mark("0" * 32, str(tmp_path))
    cluster.repair(tmp_path, mark)
    whole = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content)
    cluster.repair(tmp_path, mark)
    assert (tmp_path / name).read_bytes() == whole


@pytest.fixture
def outside(tmp_path, monkeypatch):
    """As if root started the site, and this were where data outside of homes lies."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(shared, "FOLDER", tmp_path / "outside")
    tmp_path.chmod(0o700)
    return tmp_path / "outside"


@mutant(
    "a new home at the path of a removed one does not find its database",
    "tagger/local/cluster.py",
    kept_by='f"postgres-{home.mark.id}"',
    broken='f"postgres-{home.path.name}"',
)
def test_data_outside_is_named_for_the_homes_id(tmp_path, outside):
    path = tmp_path / "home"
    path.mkdir()
    first = cluster.locate(Home(path, -1, Mark("0" * 32, str(path))))
    again = cluster.locate(Home(path, -1, Mark("1" * 32, str(path))))
    assert first.parent == again.parent == outside and first != again


def test_data_outside_is_found_although_the_home_can_be_entered_now(tmp_path, outside, monkeypatch):
    home = home_at(tmp_path / "home", Mark("0" * 32, str(tmp_path / "home")))
    data = home_at(outside / "data", identity.read(home))
    (data / "PG_VERSION").write_text("18\n")
    monkeypatch.setattr(cluster, "is_traversable", lambda path: True)
    assert cluster.locate(Home(home, -1, identity.read(home))) == data


@mutant(
    "a new home says where an earlier one left its database",
    "tagger/local/cluster.py",
    kept_by="if mark.path == home.mark.path if mark else",
    broken="if False if mark else",
)
def test_what_an_earlier_home_left_is_reported(tmp_path, outside):
    path, said = tmp_path / "home", []
    for name, of in (("ours", path), ("another", tmp_path / "other")):
        data = home_at(outside / name, Mark("0" * 32, str(of)))
        (data / "PG_VERSION").write_text("18\n")
    cluster.report_earlier(Home(path, -1, Mark("1" * 32, str(path))), said.append)
    assert said == [
        f"An earlier site in {path} left its database in {outside / 'ours'}: it is not used;"
        " remove it if you no longer need it."
    ]


@mutant(
    "a database that is gone is not replaced by an empty one",
    "tagger/local/cluster.py",
    kept_by="if inside.is_symlink() and not inside.exists():",
    broken="if False:",
)
def test_a_link_to_nothing_is_refused(tmp_path):
    home = home_at(tmp_path / "home", Mark("0" * 32, str(tmp_path / "home")))
    identity.data(home).symlink_to(tmp_path / "unmounted")
    with pytest.raises(StartRefused, match=r"is missing: .* where nothing is"):
        cluster.locate(Home(home, -1, identity.read(home)))


@mutant(
    "a copied home does not remove the sockets of the running original",
    "tagger/local/homes.py",
    kept_by="if not record.is_alive() and",
    broken="if",
)
def test_the_sockets_of_a_running_launcher_are_kept(tmp_path):
    sockets = homes.make_sockets()
    try:
        (tmp_path / "home" / "run").mkdir(parents=True)
        addresses.write(tmp_path / "home", {}, sockets)  # by this process, which runs
        homes.claim(tmp_path / "home", traversable=False)
        assert sockets.is_dir()
    finally:
        shutil.rmtree(sockets)


@mutant(
    "in a copied home no command works on the original's database",
    "tagger/local/addresses.py",
    kept_by="run.home == home.resolve() and",
    broken="",
)
def test_a_copied_record_has_no_addresses(tmp_path):
    home = tmp_path / "home"
    (home / "run").mkdir(parents=True)
    addresses.write(home, {"DATABASE_URL": "postgresql:///x"}, tmp_path)
    assert addresses.find(home) == {"DATABASE_URL": "postgresql:///x"}
    other = copy(home, tmp_path / "copy")
    assert addresses.find(other) == {} and not addresses.is_running(other)

from importlib import import_module
from io import StringIO

import pytest
from django.apps import apps
from django.core.management import call_command
from django.core.management.base import CommandError

from accounts.models import User
from datasets.models import Campaign, Clip
from tagger.demo import load, scripts
from tests.support.mutants import mutant


def load_demo() -> str:
    output = StringIO()
    call_command("load_demo", stdout=output)
    return output.getvalue()


@pytest.fixture
def demo_home(settings, tmp_path):
    settings.DEBUG = True
    settings.TAGGER_HOME = tmp_path
    return tmp_path


@mutant(
    "no demo account where DEBUG is off",
    "tagger/management/commands/load_demo.py",
    kept_by="        if not settings.DEBUG:",
    broken="        if False:",
)
def test_without_debug_no_demo_account_is_made(db, settings, tmp_path):
    settings.DEBUG, settings.TAGGER_HOME = False, tmp_path
    assert "no demo data" in load_demo()
    assert (User.objects.count(), Campaign.objects.count(), list(tmp_path.glob("demo*"))) == (0, 0, [])


def test_an_interrupted_load_continues_at_the_next_start(db, demo_home, monkeypatch):
    def interrupt(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(load, "_answer_some", interrupt)
    with pytest.raises(KeyboardInterrupt):
        load_demo()
    assert 0 < Clip.objects.count() < len(scripts.lines())
    monkeypatch.undo()
    load_demo()
    assert Campaign.objects.count() == 2 and load.DemoAccounts.read().finished


def test_a_database_with_data_is_left_alone(db, demo_home, sam):
    load_demo()
    assert Campaign.objects.count() == 0


@mutant(
    "a damaged file of the demo's passwords does not end the start",
    "tagger/demo/load.py",
    kept_by="        if not isinstance(passwords, dict) or not isinstance(finished, bool):",
    broken="        if False:",
)
@pytest.mark.parametrize("content", [b"", b'{"passwords": {"con', b"\xff\xfe", b"[]", b'{"passwords": {}}'])
def test_a_damaged_file_of_passwords_is_read_as_lost(demo_home, content):
    load.DemoAccounts.path().write_bytes(content)
    assert load.DemoAccounts.read() is None and load.DemoAccounts.are_lost()


def test_where_nothing_was_loaded_a_damaged_file_is_no_obstacle(db, demo_home):
    load.DemoAccounts.path().write_bytes(b"")
    assert "damaged" not in load_demo() and load.DemoAccounts.read().finished


def test_people_of_a_site_without_demo_keep_their_passwords(db, demo_home, sam):
    with pytest.raises(CommandError, match=r"There are no demo accounts\."):
        call_command("load_demo", new_passwords=True)
    assert not load.DemoAccounts.path().exists()


@mutant(
    "the accounts of an older version's demo are marked",
    "tagger/migrations/0014_mark_demo_accounts.py",
    kept_by='    load.mark(apps.get_model("accounts", "User").objects)\n',
    broken="    pass\n",
)
@pytest.mark.django_db(transaction=True)
def test_the_accounts_of_an_older_versions_demo_are_marked_by_the_migration(demo_home, sam):
    for name, rights in load.ACCOUNTS.items():
        load._account(name, "a password", rights)
    for name in load.CROWD:
        load._account(name, None, {})
    User.objects.update(is_demo=False)
    owner = User.objects.get_by_natural_key("owner")  # a name that the demo has only now
    migration = import_module("tagger.migrations.0014_mark_demo_accounts")
    migration.mark(apps, None)
    assert set(User.objects.filter(is_demo=False)) == {sam, owner}


def test_of_an_interrupted_load_those_with_the_files_password_are_marked(db, demo_home):
    for name, rights in load.ACCOUNTS.items():
        load._account(name, "a password" if name == "admin" else "another one", rights)
    User.objects.update(is_demo=False)
    load.DemoAccounts(dict.fromkeys(load.ACCOUNTS, "a password"), False).write()
    assert load.mark() == 1
    assert User.objects.get(is_demo=True).pseudonym == "admin"


@mutant(
    "no real admin is taken for the demo's",
    "tagger/demo/load.py",
    kept_by="    is_loaded = all(_named(people, name).exists() for name in CROWD)\n",
    broken="    is_loaded = True\n",
)
def test_a_real_admin_is_not_taken_for_the_demos(db, demo_home):
    User.objects.create_superuser("admin", password="their own")
    assert load.mark() == 0

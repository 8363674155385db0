"""What the demo consists of and what becomes of it. It is loaded once; each test takes its changes back."""

import shutil
from io import StringIO

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import transaction
from django.test import override_settings
from django.utils import timezone

from accounts import names
from accounts.models import Purpose, User
from datasets.models import Campaign, Clip, Release, Task
from datasets.releases import freezing
from tagger.demo import load, scripts
from tagger.models import KnownPositive, ReviewItem
from tests.local.test_demo import load_demo
from tests.support import quick_hasher


@pytest.fixture(scope="module")
def loaded_once(django_db_setup, django_db_blocker, tmp_path_factory):
    """The demo in the database, for all tests that begin with it, and the folder that belongs to it."""
    home = tmp_path_factory.mktemp("demo")
    vault = {"BACKEND": settings.STORAGES["vault"]["BACKEND"], "OPTIONS": {"location": home / "vault"}}
    of_the_demo = override_settings(
        DEBUG=True,
        TAGGER_HOME=home,
        MASTER_KEYS=home / "keys",
        STORAGES=settings.STORAGES | {"vault": vault},
        PASSWORD_HASHERS=quick_hasher.HASHERS,
    )
    with django_db_blocker.unblock(), transaction.atomic():
        with of_the_demo:
            said = load_demo()
        yield home, said
        transaction.set_rollback(True)


@pytest.fixture
def loaded(loaded_once, db, settings, tmp_path):
    """What loading the demo said. The test's own folder is as that left its own."""
    home, said = loaded_once
    settings.DEBUG, settings.TAGGER_HOME = True, tmp_path
    shutil.copytree(home, tmp_path, dirs_exist_ok=True)
    return said


def test_an_empty_database_gets_clips_for_every_answer_and_an_account_for_every_role(loaded, client):
    assert Clip.objects.count() == len(scripts.lines())
    references = set(
        Task.objects.filter(campaign__kind="wake-word").values_list("plain_reference", flat=True)
    )
    assert references == {"yes", "similar", "no", "noise"}
    accounts = load.DemoAccounts.read()
    for name, password in accounts.passwords.items():
        assert f"{name} " in loaded and password in loaded
        assert client.login(username=name, password=password)
    assert ReviewItem.objects.count() == 2
    assert Task.objects.filter(status="settled").count() == 2 * (load.ANSWERED - 1)
    assert KnownPositive.objects.count() == load.KNOWN_POSITIVES
    assert {(each.audience, each.grants, each.contents["clips"]) for each in Release.objects.all()} == {
        ("public", "steward", load.ANSWERED - 1 - load.UNCHECKED),
        ("researchers", "automatic", load.ANSWERED - 1),
    }
    made = freezing.freeze("open", Campaign.objects.all(), timezone.now(), audience=Purpose.PUBLIC)
    assert (made.rows, made.not_cleared) == (2 * (load.ANSWERED - 1 - load.UNCHECKED), 2 * load.UNCHECKED)


def test_a_second_start_changes_nothing_and_prints_the_same_log_ins(loaded):
    User.objects.get_by_natural_key("volunteer").delete()
    second = load_demo()
    assert [line for line in loaded.splitlines() if line.startswith("  ")] == [
        line for line in second.splitlines() if line.startswith("  ")
    ]
    assert not User.objects.found_by(names.looked_up("volunteer")).exists()


def test_lost_passwords_are_said_to_be_lost_and_can_be_renewed(loaded, client):
    file = load.DemoAccounts.path()
    clips = Clip.objects.count()
    file.write_bytes(b"")
    assert f"{file} is empty or damaged, so the demo accounts' passwords are lost: " in load_demo()
    assert file.read_bytes() == b"" and Clip.objects.count() == clips
    output = StringIO()
    call_command("load_demo", new_passwords=True, stdout=output)
    for name, password in load.DemoAccounts.read().passwords.items():
        assert f"{name} " in output.getvalue() and client.login(username=name, password=password)
    assert "damaged" not in output.getvalue() and Clip.objects.count() == clips


def test_the_accounts_of_the_demo_are_marked_and_work_without_a_factor_while_debug_is_on(
    loaded, settings, client
):
    assert User.objects.filter(is_demo=True).count() == len(load.ACCOUNTS) + len(load.CROWD)
    password = load.DemoAccounts.read().passwords["admin"]
    client.post("/accounts/login/", {"login": "admin", "password": password})
    assert client.get("/review/").status_code == client.get("/admin/").status_code == 200
    settings.DEBUG = False
    assert client.get("/review/").status_code == 302
    assert not client.login(username="admin", password=password)

from io import StringIO

import pytest
from django.core.management import call_command

from accounts import names
from accounts.models import User
from datasets.models import Campaign, Clip, Task
from tagger.demo import load, scripts
from tagger.models import Dispute
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


def test_an_empty_database_gets_clips_for_every_answer_and_an_account_for_every_role(db, demo_home, client):
    output = load_demo()
    assert Clip.objects.count() == len(scripts.lines())
    references = set(
        Task.objects.filter(campaign__kind="wake-word").values_list("plain_reference", flat=True)
    )
    assert references == {"yes", "similar", "no", "noise"}
    accounts = load.DemoAccounts.read()
    for name, password in accounts.passwords.items():
        assert f"{name} " in output and password in output
        assert client.login(username=name, password=password)
    assert Dispute.objects.count() == 2
    assert Task.objects.filter(status="settled").count() == 2 * (load.ANSWERED - 1)


def test_a_second_start_changes_nothing_and_prints_the_same_log_ins(db, demo_home):
    first = load_demo()
    User.objects.get_by_natural_key("volunteer").delete()
    second = load_demo()
    assert [line for line in first.splitlines() if line.startswith("  ")] == [
        line for line in second.splitlines() if line.startswith("  ")
    ]
    assert not User.objects.found_by(names.looked_up("volunteer")).exists()


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

from io import StringIO

import pytest
from django.core.management import call_command

from accounts.ciphers import pseudonym_hash
from accounts.models import User
from datasets.models import Campaign, Clip, Task
from tagger.demo import load, scripts
from tagger.models import Dispute
from tests.support.mutants import mutant


def load_demo() -> str:
    said = StringIO()
    call_command("load_demo", stdout=said)
    return said.getvalue()


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


def test_an_empty_database_gets_every_answer_and_a_way_in_for_every_role(db, demo_home, client):
    said = load_demo()
    assert Clip.objects.count() == len(scripts.lines())
    references = set(
        Task.objects.filter(campaign__kind="wake-word").values_list("plain_reference", flat=True)
    )
    assert references == {"yes", "similar", "no", "noise"}
    record = load.Record.read()
    for name, password in record.passwords.items():
        assert f"{name} " in said and password in said
        assert client.login(username=name, password=password)
    assert Dispute.objects.count() == 2
    assert Task.objects.filter(status="settled").count() == 2 * (load.ANSWERED - 1)


def test_a_second_start_keeps_what_is_there_and_says_the_same_log_ins(db, demo_home):
    first = load_demo()
    User.objects.get_by_natural_key("volunteer").delete()
    again = load_demo()
    assert [line for line in first.splitlines() if line.startswith("  ")] == [
        line for line in again.splitlines() if line.startswith("  ")
    ]
    assert not User.objects.filter(username=pseudonym_hash("volunteer")).exists()


def test_a_load_that_was_cut_goes_on_at_the_next_start(db, demo_home, monkeypatch):
    def cut(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(load, "_answer_some", cut)
    with pytest.raises(KeyboardInterrupt):
        load_demo()
    assert 0 < Clip.objects.count() < len(scripts.lines())
    monkeypatch.undo()
    load_demo()
    assert Campaign.objects.count() == 2 and load.Record.read().finished


def test_a_database_that_holds_something_is_left_alone(db, demo_home, sam):
    load_demo()
    assert Campaign.objects.count() == 0

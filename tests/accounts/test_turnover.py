import json
import os
from base64 import b64decode
from datetime import timedelta

import pytest

from accounts import ciphers, keys, turnover
from accounts.models import DataKey
from tests.conftest import NOW


def age(home, name, by):
    """As if this master had been made so long before NOW."""
    made = (NOW - by).timestamp()
    os.utime(home / "keys" / f"{name}.key", (made, made))


@pytest.fixture
def yesterday(alice, bea):
    """What a dump of yesterday's key table holds: {person: (master, wrapped)}."""
    return {row.person_id: (row.master, bytes(row.wrapped)) for row in DataKey.objects.all()}


def opened(person_id, master, wrapped):
    return ciphers.unseal(ciphers.master(master), wrapped, DataKey.label(person_id))


def test_everybody_who_stays_keeps_their_key(alice, bea, yesterday):
    before = {row.person_id: row.open() for row in DataKey.objects.all()}
    assert turnover.turn_over() == len(before)
    assert {row.person_id: row.open() for row in DataKey.objects.all()} == before
    assert set(DataKey.objects.values_list("master", flat=True)) == {"0002"}


def test_the_old_master_is_destroyed_once_nobody_can_be_reading_it(alice, own_home):
    turnover.turn_over()
    age(own_home, "0002", turnover.GRACE - timedelta(seconds=1))
    assert turnover.destroy_unused(NOW) == []
    age(own_home, "0002", turnover.GRACE)
    assert turnover.destroy_unused(NOW) == ["0001"]
    assert ciphers.masters() == ["0002"]


def test_a_master_that_still_wraps_a_key_is_never_destroyed(alice, own_home):
    ciphers.make_next_master()
    age(own_home, "0002", timedelta(days=1))
    assert turnover.destroy_unused(NOW) == []
    assert alice.pseudonym == "alice"


def test_yesterdays_dump_and_todays_keys_open_nothing_of_who_left(alice, bea, yesterday, own_home):
    """The attack. Control: before the turn-over, deleting the wrapped key alone leaves everything open."""
    gone = alice.pk
    alice.forget()
    assert len(opened(gone, *yesterday[gone])) == 32  # the control: a sham erasure
    turnover.turn_over()
    age(own_home, "0002", timedelta(hours=1))
    turnover.destroy_unused(NOW)
    with pytest.raises(ciphers.KeyLost):
        opened(gone, *yesterday[gone])


def test_yesterdays_dump_and_the_key_tables_own_copy_open_everything_of_who_stayed(
    alice, bea, yesterday, own_home
):
    name = bytes(bea.sealed_name)
    alice_was = alice.pk
    alice.forget()
    turnover.turn_over()
    age(own_home, "0002", timedelta(hours=1))
    turnover.destroy_unused(NOW)
    lines = [json.loads(line) for line in (own_home / "keys" / "wrapped.json").read_text().splitlines()]
    copy = {line["person"]: (line["master"], b64decode(line["wrapped"])) for line in lines}
    assert alice_was not in copy
    assert ciphers.unseal(opened(bea.pk, *copy[bea.pk]), name, f"name of {bea.pk}") == b"bea"


def test_a_key_that_does_not_verify_stops_the_turn_over(alice, bea, monkeypatch):
    before = {row.pk: bytes(row.wrapped) for row in DataKey.objects.all()}
    monkeypatch.setattr(DataKey, "wrap", lambda self, key: setattr(self, "wrapped", b"nonsense"))
    with pytest.raises((turnover.NotVerified, ciphers.KeyLost)):
        turnover.turn_over()
    assert {row.pk: bytes(row.wrapped) for row in DataKey.objects.all()} == before
    assert ciphers.master("0001")


def test_whoever_signs_up_after_a_turn_over_is_wrapped_by_the_new_master(alice, django_user_model):
    turnover.turn_over()
    assert keys.data_key(django_user_model.objects.create_user("nora")) and (
        DataKey.objects.latest("pk").master == "0002"
    )

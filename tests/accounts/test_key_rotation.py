import json
import os
from base64 import b64decode
from datetime import timedelta

import pytest

from accounts import ciphers, key_rotation, keys
from accounts.models import DataKey
from tests.conftest import NOW


def age(home, name, by):
    """Pretend this master key was made this long before NOW."""
    made = (NOW - by).timestamp()
    os.utime(home / "keys" / f"{name}.key", (made, made))


@pytest.fixture
def yesterday(alice, bea):
    """The key table in yesterday's backup: {person: (master, wrapped)}."""
    return {row.person_id: (row.master, bytes(row.wrapped)) for row in DataKey.objects.all()}


def opened(person_id, master, wrapped):
    return ciphers.unseal(ciphers.master(master), wrapped, DataKey.label(person_id))


def test_everyone_who_stays_keeps_their_key(alice, bea, yesterday):
    before = {row.person_id: row.open() for row in DataKey.objects.all()}
    assert key_rotation.rotate_master_key() == len(before)
    assert {row.person_id: row.open() for row in DataKey.objects.all()} == before
    assert set(DataKey.objects.values_list("master", flat=True)) == {"0002"}


def test_the_old_master_is_destroyed_once_no_request_can_still_be_reading_it(alice, own_home):
    key_rotation.rotate_master_key()
    age(own_home, "0002", key_rotation.GRACE - timedelta(seconds=1))
    assert key_rotation.destroy_unused_masters(NOW) == []
    age(own_home, "0002", key_rotation.GRACE)
    assert key_rotation.destroy_unused_masters(NOW) == ["0001"]
    assert ciphers.masters() == ["0002"]


def test_a_master_that_still_wraps_a_key_is_never_destroyed(alice, own_home):
    ciphers.make_next_master()
    age(own_home, "0002", timedelta(days=1))
    assert key_rotation.destroy_unused_masters(NOW) == []
    assert alice.pseudonym == "alice"


def test_yesterdays_dump_and_todays_keys_open_nothing_of_people_who_left(alice, bea, yesterday, own_home):
    """The attack. Control: before the key rotation, deleting the wrapped key alone leaves everything open."""
    gone = alice.pk
    alice.forget()
    assert len(opened(gone, *yesterday[gone])) == 32  # the control: a sham erasure
    key_rotation.rotate_master_key()
    age(own_home, "0002", timedelta(hours=1))
    key_rotation.destroy_unused_masters(NOW)
    with pytest.raises(ciphers.KeyLost):
        opened(gone, *yesterday[gone])


def test_yesterdays_dump_and_the_key_copy_open_everything_of_people_who_stayed(
    alice, bea, yesterday, own_home
):
    name = bytes(bea.sealed_name)
    alice_was = alice.pk
    alice.forget()
    key_rotation.rotate_master_key()
    age(own_home, "0002", timedelta(hours=1))
    key_rotation.destroy_unused_masters(NOW)
    lines = [json.loads(line) for line in (own_home / "keys" / "wrapped.json").read_text().splitlines()]
    copy = {line["person"]: (line["master"], b64decode(line["wrapped"])) for line in lines}
    assert alice_was not in copy
    assert ciphers.unseal(opened(bea.pk, *copy[bea.pk]), name, f"name of {bea.pk}") == b"bea"


def test_a_key_that_does_not_verify_stops_the_rotation(alice, bea, monkeypatch):
    before = {row.pk: bytes(row.wrapped) for row in DataKey.objects.all()}
    monkeypatch.setattr(DataKey, "wrap", lambda self, key: setattr(self, "wrapped", b"nonsense"))
    with pytest.raises((key_rotation.NotVerified, ciphers.KeyLost)):
        key_rotation.rotate_master_key()
    assert {row.pk: bytes(row.wrapped) for row in DataKey.objects.all()} == before
    assert ciphers.master("0001")


def test_a_key_made_after_a_rotation_is_wrapped_by_the_new_master(alice, django_user_model):
    key_rotation.rotate_master_key()
    assert keys.data_key(django_user_model.objects.create_user("nora")) and (
        DataKey.objects.latest("pk").master == "0002"
    )

"""One site, known by its id: database, keys and vault belong together, or nothing starts."""

import json
import shutil
import signal
from pathlib import Path

import pytest
from django.core.files.storage import storages
from django.core.management import CommandError, call_command

from accounts import ciphers, consent, key_rotation, keyring, names, signing, site
from accounts.models import DataKey, MasterKey, Purpose, Site, User
from datasets.clips import fingerprints, vault
from datasets.models import Clip, Withdrawal
from tagger.privacy import withdrawal
from tests.conftest import NOW
from tests.support.mutants import mutant
from tests.support.rotation import rotate

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def kept(alice, juniper, share, own_home):
    """Everything of a site that works: its keys and its vault, to be taken away."""
    share(juniper)
    signing.sign({})
    return own_home


def test_an_empty_site_gets_its_keys_once(db, own_home):
    call_command("check_site")
    before = {path.name: path.read_bytes() for path in (own_home / "keys").glob("*.key")}
    assert set(before) == {"0001.key", "signing.key"}
    call_command("check_site")
    assert {path.name: path.read_bytes() for path in (own_home / "keys").glob("*.key")} == before
    mark = json.loads((own_home / "keys" / "site.json").read_text())
    assert mark["site"] == json.loads((own_home / "vault" / "site.json").read_text())["site"]
    assert mark["site"] == str(Site.objects.get().uuid)


def refusal():
    with pytest.raises(CommandError) as raised:
        call_command("check_site")
    assert "\n" not in str(raised.value)
    return str(raised.value)


def move(path):
    path.rename(path.with_name(path.name + " aside"))


@mutant(
    "a site whose keys are missing starts without making new ones",
    "accounts/site.py",
    kept_by="    if mark is None or (mark",
    broken="    if mark and (mark",
)
@pytest.mark.parametrize("is_empty", [True, False], ids=["empty", "missing"])
def test_a_site_whose_key_folder_is_not_mounted_refuses_to_start(kept, own_home, is_empty, client):
    move(own_home / "keys")
    if is_empty:
        (own_home / "keys").mkdir()
    assert f"the keys of this database are not in {own_home / 'keys'} (missing: 0001)" in refusal()
    assert not list((own_home / "keys").glob("*"))
    for act in (
        lambda: User.objects.create_user("nora"),
        lambda: User.objects.get_by_natural_key("alice"),
        lambda: client.post("/accounts/login/", {"login": "alice", "password": "x"}),
        lambda: client.post("/accounts/signup/", {"username": "alice", "password1": "a long pass phrase"}),
        lambda: signing.sign({}),
        rotate,
    ):
        with pytest.raises(site.WrongSite):
            act()
    assert not list((own_home / "keys").glob("*")) and User.objects.count() == 1


@mutant(
    "a lost master key is never replaced by a new one",
    "accounts/site.py",
    kept_by="    if missing := _missing_masters():\n",
    broken="    if missing := []:\n",
)
@pytest.mark.parametrize("name", ["0001", "signing"])
def test_a_site_that_lost_one_key_refuses_to_start(kept, own_home, name):
    keyring.path_of(name).unlink()
    assert f"(missing: {name})" in refusal()
    assert not keyring.exists(name)


def test_a_foreign_key_folder_is_refused(kept, own_home):
    keyring.write_mark("00000000-0000-4000-8000-000000000000", complete=True)
    assert "belongs to site 00000000-0000-4000-8000-000000000000, the database to site" in refusal()


@pytest.mark.parametrize("marked", [True, False])
def test_the_keys_of_a_site_are_not_taken_for_an_empty_database(db, own_home, marked):
    keyring.make("0003")
    if marked:
        keyring.write_mark("00000000-0000-4000-8000-000000000000", complete=True)
    assert "the database is empty" in refusal()
    assert not Site.objects.exists() and keyring.masters() == ["0003"]


@pytest.mark.parametrize("torn", ["", "{", "[]"])
def test_a_torn_mark_is_not_replaced_while_the_database_knows_its_site(kept, own_home, torn):
    (own_home / "keys" / "site.json").write_text(torn)
    assert "mount the folder that has them" in refusal()


@mutant(
    "a vault that is not mounted stops the start",
    "datasets/clips/vault.py",
    kept_by="    if found is None and not here.has_vault and _may_be_new():",
    broken="    if found is None:",
)
@pytest.mark.parametrize("is_empty", [True, False], ids=["empty", "missing"])
def test_a_site_whose_vault_is_not_mounted_refuses_to_start(kept, own_home, is_empty):
    move(own_home / "vault")
    if is_empty:
        (own_home / "vault").mkdir()
    assert f"the clips of this site are not in {own_home / 'vault'}" in refusal()


def test_a_foreign_vault_is_refused(kept, own_home):
    (own_home / "vault" / "site.json").write_text(
        json.dumps({"site": "00000000-0000-4000-8000-000000000000"})
    )
    assert "the vault" in refusal()


def test_a_vault_with_files_is_not_taken_for_an_empty_database(db, own_home):
    (own_home / "vault" / "aa").mkdir(parents=True)
    (own_home / "vault" / "aa" / "clip").write_text("another site's")
    assert "the clips of this site are not in" in refusal()


@mutant(
    "no receipt is signed for a file that a missing mount still has",
    "tagger/privacy/withdrawal.py",
    kept_by="        vault.establish()  # a file is seen gone only in the vault that had it\n",
    broken="",
)
def test_an_erasure_is_not_finished_while_the_vault_is_missing(kept, alice, own_home):
    clip = Clip.objects.get()
    token = withdrawal.forget_contributor(alice, NOW).token
    move(own_home / "vault")
    with pytest.raises(site.WrongSite):
        withdrawal.scrub(Withdrawal.objects.get(), lambda: NOW)
    assert Clip.objects.get() == clip and "signature" not in withdrawal.receipt(token)
    (own_home / "vault aside").rename(own_home / "vault")
    withdrawal.scrub(Withdrawal.objects.get(), lambda: NOW)
    assert not storages["vault"].exists(clip.stored_as) and "signature" in withdrawal.receipt(token)


def test_a_file_that_does_not_go_is_not_counted_as_gone(kept, alice, monkeypatch):
    withdrawal.forget_contributor(alice, NOW)
    monkeypatch.setattr(type(storages["vault"]), "delete", lambda self, name: None)
    with pytest.raises(vault.NotDestroyed):
        withdrawal.scrub(Withdrawal.objects.get(), lambda: NOW)
    assert Clip.objects.exists()


@mutant(
    "no master key is destroyed in a folder that is not this site's",
    "accounts/key_rotation.py",
    kept_by="        site.establish()\n        if master.name in",
    broken="        if master.name in",
)
def test_a_master_is_not_seen_destroyed_in_another_folder(kept, alice, own_home):

    MasterKey.objects.create(number=2)
    key_rotation.put_in_use()
    key_rotation.rewrap()
    MasterKey.objects.filter(number=1).update(retired_at="2026-01-01T00:00:00Z")
    move(own_home / "keys")
    (own_home / "keys").mkdir()
    with pytest.raises(site.WrongSite):
        key_rotation.destroy()
    assert MasterKey.objects.get(number=1).destroyed_at is None


# A site from before sites had ids


@pytest.fixture
def older(kept, alice, own_home):
    """As this site was before: hashes under names.key, no id, no marks, fingerprints in plain."""
    keyring.make(keyring.OLD_HASHES)
    for person in User.objects.all():
        hashed = keyring.hash_under(keyring.OLD_HASHES, names.looked_up(person.pseudonym))
        User.objects.filter(pk=person.pk).update(username=hashed)
    for given in alice.consents.all():
        text = f"consent reference of {alice.pk}: on paper"
        type(given).objects.filter(pk=given.pk).update(
            reference_hash=keyring.hash_under(keyring.OLD_HASHES, text)
        )

    clip = Clip.objects.get()
    Clip.objects.update(samples_hash=fingerprints.of(clip), hashed_under=0, sealed_samples=b"")
    for path in ("keys/site.json", "vault/site.json"):
        (own_home / path).unlink()
    Site.objects.all().delete()
    MasterKey.objects.all().delete()
    return fingerprints.of(Clip.objects.get())


def test_an_older_site_gets_its_id_and_loses_its_old_hashes_with_the_next_rotation(older, alice):

    assert User.objects.get_by_natural_key("alice") == alice
    assert consent.require(alice, "wake-word", Purpose.VOLUNTEERS, "on paper")
    call_command("check_site")
    assert rotate() == ["names", "0001"]
    assert keyring.masters() == ["0002"] and not keyring.exists(keyring.OLD_HASHES)
    assert User.objects.get_by_natural_key("alice") == alice
    assert consent.require(User.objects.get(), "wake-word", Purpose.VOLUNTEERS, "on paper")
    clip = Clip.objects.get()
    assert clip.samples_hash != older and fingerprints.of(clip) == older
    assert rotate() == []


@pytest.mark.parametrize("name", ["0001", "names"])
def test_an_older_site_without_its_keys_is_refused_and_gets_none(older, name):
    keyring.path_of(name).unlink()
    assert f"missing: {name}" in refusal()
    assert not keyring.exists(name) and not Site.objects.exists()


def test_an_older_site_with_another_vault_is_refused(older, own_home):
    shutil.rmtree(own_home / "vault")
    assert "the clips of this site are not in" in refusal()


# A first start that fails in the middle

START_UNTIL = """
import os, signal, sys
import django; django.setup()
from django.core.management import call_command
from accounts import keyring, site
from datasets.clips import vault
module, name = sys.argv[1].split(".")
owner = globals()[module]
real = getattr(owner, name)
def killed(*args, **options):
    if sys.argv[2] == "after":
        real(*args, **options)
    os.kill(os.getpid(), signal.SIGKILL)
setattr(owner, name, killed)
call_command("check_site")
"""


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    "step", ["keyring.write_mark", "keyring.make", "site._remember", "vault._may_be_new", "vault._storage"]
)
def test_a_first_start_that_was_killed_is_completed_by_the_next(in_site, step, when):
    done = in_site(START_UNTIL, step, when)
    assert done.returncode == -signal.SIGKILL, done.stderr
    call_command("check_site")
    assert keyring.masters() == ["0001"] and keyring.read_mark()["complete"]
    assert User.objects.create_user("alice").pseudonym == "alice"
    assert DataKey.objects.get().open() and len(ciphers.seal(bytes(32), b"", "")) > 0

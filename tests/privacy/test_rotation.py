"""Key rotation: owed until proven, however often it fails, and lossless for everyone who stays."""

import json
import signal
from datetime import timedelta
from pathlib import Path
from threading import Event

import pytest
import redis
from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.db.models.functions import Now
from django.test import Client
from django.utils import timezone

from accounts import audit, ciphers, consent, contributors, key_rotation, keyring, keys, signing
from accounts import key_copy as copied
from accounts.models import AuditEvent, DataKey, MasterKey, Material, Purpose, Site, User
from datasets.clips import fingerprints, intake, vault
from datasets.models import Clip, Withdrawal
from tagger import tasks as site_tasks
from tagger.privacy import key_copy, rotation, tasks, withdrawal
from tests.conftest import NOW
from tests.support import sounds
from tests.support.mutants import mutant
from tests.support.rotation import advance, age, rotate

ROOT = Path(__file__).resolve().parents[2]


def leave(person):
    """The person leaves, and the erasure is finished; returns the token of the receipt."""
    token = withdrawal.forget_account(person, False, timezone.now()).token
    scrub_all()
    return token


def scrub_all():
    for pk in withdrawal.unfinished():
        withdrawal.scrub(Withdrawal.objects.get(pk=pk), timezone.now)


@pytest.fixture
def backup(alice, bea, juniper, share):
    """What yesterday's backup has of Alice and Bea: {person: (master, wrapped, sealed name, hash)}."""
    share(juniper)
    return {
        row.person_id: (row.master, bytes(row.wrapped), bytes(row.person.sealed_name), row.person.username)
        for row in DataKey.objects.select_related("person")
    }


def name_in(backup, person):
    """The name that today's keys open in yesterday's backup; raises KeyLost if they open nothing."""
    master, wrapped, sealed, _hash = backup[person]
    key = ciphers.unseal(keyring.read(master), wrapped, DataKey.label(person))
    return ciphers.unseal(key, sealed, f"name of {person}").decode()


def name_with_copy(backup, person):
    """As `name_in`, with the person's key from the copy."""
    line = copied.of_person(person)
    return name_in(
        {person: (line["master"], copied.from_base64(line["wrapped"]), *backup[person][2:])}, person
    )


def pseudonym_of(person):
    return User.objects.get(pk=person.pk).pseudonym


# Who stays


def test_everyone_who_stays_keeps_key_name_log_in_and_clips(alice, bea, carl, backup, client):
    imported = contributors.find_or_create("a:b", "c:d")
    opened = {row.person_id: row.open() for row in DataKey.objects.all()}
    leave(carl)
    assert rotate() == ["0001"]
    assert {row.person_id: row.open() for row in DataKey.objects.all()} == {
        person: key for person, key in opened.items() if person != carl.pk
    }
    assert set(DataKey.objects.values_list("master", flat=True)) == {"0002"} == copied.masters()
    assert User.objects.get_by_natural_key("ALICE") == alice and pseudonym_of(alice) == "alice"
    assert contributors.find("a:b", "c:d") == imported
    assert [(speaker, who) for speaker, who in contributors.in_collection("a:b")] == [("c:d", imported)]
    assert vault.get(Clip.objects.get())[:4] == b"RIFF"


def test_a_recording_is_recognised_before_during_and_after_a_rotation(alice, bea, juniper, sam):
    consent.give(sam, "wake-word", Material.WAKE_WORD.purposes, NOW, reference="on paper")
    sound = intake.read(sounds.in_format("wav", sounds.tone(0.5)))
    assert intake.add(sound, juniper, intake.Origin(alice, Clip.Source.BROWSER, "en"), NOW)

    def is_recognised():
        assert not intake.add(sound, juniper, intake.Origin(alice, Clip.Source.BROWSER, "en"), NOW)
        with pytest.raises(intake.Duplicate):
            intake.add(sound, juniper, intake.Origin(sam, Clip.Source.BROWSER, "en"), NOW)
        return fingerprints.of(Clip.objects.get()) == sound.fingerprint

    assert is_recognised()
    key_rotation.begin()
    key_rotation.put_in_use()
    assert is_recognised()
    key_rotation.rewrap()
    assert is_recognised()
    fingerprints.rehash()
    assert is_recognised() and Clip.objects.get().hashed_under == 2


def test_during_a_rotation_no_name_is_taken_twice_and_everyone_can_log_in(alice, client):
    key_rotation.begin()
    key_rotation.put_in_use()
    answer = client.post("/accounts/signup/", {"username": "Alice", "password1": "a long pass phrase"})
    assert answer.status_code == 200 and User.objects.count() == 1
    client.post("/accounts/signup/", {"username": "nora", "password1": "a long pass phrase"})
    nora = User.objects.get_by_natural_key("nora")
    assert nora.data_key.master == "0002"
    key_rotation.rewrap()
    for name in ("alice", "nora"):
        assert User.objects.get_by_natural_key(name).data_key.master == "0002"
    fresh = Client()
    fresh.post("/accounts/login/", {"login": "nora", "password": "a long pass phrase"})
    assert fresh.session["_auth_user_id"] == str(nora.pk)


@mutant(
    "a master key is destroyed only when no request can still be reading it",
    "accounts/key_rotation.py",
    kept_by="retired_at__lte=Now() - GRACE, destroyed_at=None",
    broken="retired_at__lte=Now(), destroyed_at=None",
)
def test_the_old_master_is_destroyed_a_minute_after_it_was_retired(alice, bea):
    leave(bea)
    age()
    advance()
    age(key_rotation.GRACE - timedelta(seconds=5))
    advance()
    assert keyring.masters() == ["0001", "0002"]
    age(timedelta(seconds=10))
    advance()
    assert keyring.masters() == ["0002"]
    assert MasterKey.objects.get(number=1).destroyed_at


@mutant(
    "a master key that still wraps a key is never destroyed",
    "accounts/key_rotation.py",
    kept_by="        if is_rewrapped() and is_free(",
    broken="        if is_free(",
)
def test_a_master_that_still_wraps_a_key_is_never_destroyed(alice, bea, carl, monkeypatch):
    leave(bea)
    save = key_rotation._save

    def all_but_carl(moved):
        save([each for each in moved if each[0].person_id != carl.pk])

    def retire_without_carls_line():
        copied.replace([carl.pk], [])
        key_rotation.retire(lambda numbers: True)

    monkeypatch.setattr(key_rotation, "_save", all_but_carl)
    monkeypatch.setattr(rotation, "_move", lambda has_time: bool(key_rotation.rewrap()))
    monkeypatch.setattr(rotation, "_retire", retire_without_carls_line)
    assert rotate() == []
    assert pseudonym_of(carl) == "carl"
    monkeypatch.undo()
    assert rotate() == ["0001"]
    assert pseudonym_of(carl) == "carl"


@mutant(
    "a master key that the key copy needs is never destroyed",
    "accounts/key_rotation.py",
    kept_by="        if master.name in key_copy.masters():\n            continue\n",
    broken="",
)
def test_a_master_that_the_copy_names_is_never_destroyed(alice, bea, backup):
    leave(bea)
    age()
    advance()
    line = copied.of_person(alice.pk)
    copied.put([line | {"master": "0001"}])  # as if the copy of another moment had been put back
    assert rotate() == [] and keyring.exists("0001")
    key_copy.complete()
    age()
    advance()
    assert keyring.masters() == ["0002"] and name_with_copy(backup, alice.pk) == "alice"


def test_a_copy_that_was_lost_is_made_again_before_a_master_is_destroyed(alice, bea, backup, own_home):
    leave(bea)
    (own_home / "keys" / "copy.sqlite3").unlink()
    assert rotate() == ["0001"]
    assert name_with_copy(backup, alice.pk) == "alice" and copied.of_person(bea.pk) is None


def test_the_copy_of_an_older_site_is_taken_over(alice, bea, own_home):
    [line] = copied.person_lines([alice.pk])
    (own_home / "keys" / "copy.sqlite3").unlink(missing_ok=True)
    (own_home / "keys" / "wrapped.json").write_text(json.dumps(line) + "\n")
    assert list(copied.read()) == [line]
    assert not (own_home / "keys" / "wrapped.json").exists()


# Who left


def test_old_backups_open_nothing_of_people_who_left_and_everything_of_others(alice, bea, backup):
    leave(bea)
    assert name_in(backup, bea.pk) == "bea"  # the control: without a rotation the erasure is a sham
    rotate()
    for person in (alice, bea):
        with pytest.raises(ciphers.KeyLost):
            name_in(backup, person.pk)
    assert name_with_copy(backup, alice.pk) == "alice"
    assert copied.of_person(bea.pk) is None


@mutant(
    "an old backup confirms no guess at the name of a person who left",
    "accounts/keyring.py",
    kept_by='    return keyed_hash(key, "look-up", text)\n',
    broken='    return keyed_hash(bytes(KEY), "look-up", text)\n',
)
def test_a_guessed_name_or_recording_is_not_confirmed_by_an_old_backup(alice, bea, juniper, share, backup):
    """Yesterday's hashes with today's keys: of who left, and of who stayed, none is found by guessing."""
    task = share(juniper)
    clip, guess = Clip.objects.get(pk=task.clip_id), fingerprints.of(Clip.objects.get(pk=task.clip_id))
    old = {backup[bea.pk][3], clip.samples_hash}

    def confirmed():
        return old.intersection({*keyring.hashes("bea"), *fingerprints.hashes([guess])})

    assert confirmed() == old  # the control
    leave(bea)
    leave(alice)
    rotate()
    assert confirmed() == set()


@mutant(
    "a reference in an old backup cannot be guessed after its person left",
    "accounts/consent.py",
    kept_by="_hash_under(keys.data_key(contributor), reference) if reference",
    broken="_hash_under(bytes(32), reference) if reference",
)
def test_a_consent_reference_is_hashed_under_the_persons_own_key(alice):
    hashed = {given.reference_hash for given in alice.consents.all()}
    key = keys.data_key(alice)
    assert hashed == {ciphers.keyed_hash(key, "consent reference", "on paper")}
    withdrawal.forget_clips(alice, [], NOW)
    scrub_all()
    assert {given.reference_hash for given in alice.consents.all()}.isdisjoint(hashed)
    assert consent.require(alice, "wake-word", Purpose.VOLUNTEERS, "on paper")


@mutant(
    "a receipt says that backups are closed only when the master keys are seen destroyed",
    "tagger/privacy/rotation.py",
    kept_by="    oldest = MasterKey.objects.filter(gone_at=None)",
    broken="    oldest = MasterKey.objects.filter(retired_at=None)",
)
def test_the_receipt_says_pending_until_the_masters_are_destroyed(alice, bea):
    token = leave(bea)

    def line():
        receipt = withdrawal.receipt(token)
        signing.verify(receipt)
        return receipt["backups"].partition(":")[0], bool(receipt["backups_closed_at"])

    assert line() == ("pending", False)
    age()
    advance()
    assert line() == ("pending", False) and MasterKey.objects.get(number=1).retired_at
    age()
    advance()
    assert line() == ("closed", True)
    assert AuditEvent.objects.filter(act=audit.Act.ROTATED_KEY, about="master key 0001").exists()


def test_without_an_erasure_nothing_is_rotated(alice):
    assert rotate() == [] and keyring.masters() == ["0001"]


def test_two_erasures_on_one_day_need_one_rotation(alice, bea, carl):
    leave(bea)
    leave(carl)
    assert rotate() == ["0001"]
    assert not Withdrawal.objects.filter(backups_closed_at=None).exists()
    assert rotate() == []


def test_a_rotation_waits_until_its_master_was_in_use_for_most_of_a_day(alice, bea, carl):
    leave(bea)
    advance()
    assert keyring.masters() == ["0001"]
    rotate()
    MasterKey.objects.filter(number=2).update(used_since=Now() - rotation.EVERY + timedelta(minutes=1))
    leave(carl)
    advance()
    assert keyring.masters() == ["0002"]
    age(timedelta(minutes=2))
    advance()
    assert keyring.masters() == ["0002", "0003"]


def test_clocks_that_differ_cancel_nothing(alice, bea):
    """Only the database's clock counts: that of the process that asks may be wrong by any amount."""
    leave(bea)
    age()
    rotation.advance(timezone.now() - timedelta(days=2), lambda: True)
    age()
    rotation.advance(timezone.now() + timedelta(days=2), lambda: True)
    assert keyring.masters() == ["0002"] and not rotation.overdue(timezone.now()).exists()


# What fails


STEPS = [
    "key_rotation.begin",
    "keyring.make",
    "key_rotation.put_in_use",
    "key_rotation._save",
    "copied.put",
    "fingerprints._save",
    "key_copy._complete",
    "key_rotation.retire",
    "keyring.destroy",
    "key_rotation.destroy",
    "key_rotation.forget",
    "rotation._close",
]

# Runs in another process, which loses itself or its connection before or after the step.
ROTATE_UNTIL = """
import os, signal, sys
import django; django.setup()
from django.db import connection
from accounts import key_copy as copied, key_rotation, keyring
from datasets.clips import fingerprints
from tagger.privacy import key_copy, rotation
from tests.support.rotation import rotate
step, when, how = sys.argv[1:]
module, name = step.split(".")
module = globals()[module]
real = getattr(module, name)
def lose(*args):
    setattr(module, name, real)
    if how == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
def failing(*args):
    if when == "before":
        lose()
    found = real(*args)
    if when == "after":
        lose()
    return found
setattr(module, name, failing)
rotate()
"""


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize(("when", "how"), [("before", "kill"), ("after", "kill"), ("after", "disconnect")])
@mutant(
    "the key copy is on disk before the database names the new master key",
    "accounts/key_rotation.py",
    kept_by="        key_copy.put(key_copy.person_lines([row.person_id for row, _ in moved]))\n",
    broken="        pass\n",
)
def test_a_rotation_that_fails_at_any_step_is_finished_by_the_next(
    in_site, alice, bea, backup, step, when, how
):
    token = leave(bea)
    done = in_site(ROTATE_UNTIL, step, when, how)
    if how == "kill":
        assert done.returncode == -signal.SIGKILL, done.stderr
    else:
        assert done.returncode == 1 and "closed the connection" in done.stderr, done.stderr
    # At this moment a backup opens for everyone who stayed, by its own master key or by the copy.
    assert "alice" in names_that_open(backup, alice.pk)
    rotate()
    if not withdrawal.receipt(token)["backups_closed_at"]:
        rotate()
    assert withdrawal.receipt(token)["backups"].startswith("closed")
    assert names_that_open(backup, bea.pk) == [] and names_that_open(backup, alice.pk) == ["alice"]
    assert pseudonym_of(alice) == "alice"
    assert User.objects.get_by_natural_key("alice") == alice
    assert vault.get(Clip.objects.get())[:4] == b"RIFF"
    assert "0001" not in keyring.masters()


def names_that_open(backup, person):
    found = []
    for way in (name_in, name_with_copy):
        try:
            found.append(way(backup, person))
        except (ciphers.KeyLost, TypeError):  # TypeError: not in the copy
            continue
    return found


@mutant(
    "a data key that does not open stops no rotation",
    "accounts/key_rotation.py",
    kept_by=".update(unreadable_since=Now())\n            continue\n",
    broken="\n            raise ciphers.KeyLost(str(row.pk))\n",
)
def test_a_data_key_that_does_not_open_is_reported_by_number_and_stops_no_other(alice, bea, carl, caplog):
    leave(bea)
    broken = carl.data_key
    DataKey.objects.filter(pk=broken.pk).update(wrapped=b"torn")
    assert rotate() == ["0001"]
    assert f"data key {broken.pk} opens neither" in caplog.text
    assert pseudonym_of(alice) == "alice" and not Withdrawal.objects.filter(backups_closed_at=None).exists()
    assert rotation.state(timezone.now())["unreadable_data_keys"] == 1


def test_a_data_key_that_was_torn_is_restored_from_the_copy(alice, bea, carl, dora):
    leave(bea)
    rotate()
    DataKey.objects.filter(person=carl).update(wrapped=b"torn")
    leave(dora)
    assert rotate() == ["0002"]
    assert pseudonym_of(carl) == "carl"


@pytest.fixture
def dora(volunteers):
    return volunteers[2]


@mutant(
    "with a folder that lacks its keys no data key is given up",
    "accounts/key_rotation.py",
    kept_by="    masters = {name: keyring.read(name) for name in [*older, master]",
    broken="    masters = {name: bytes(32) for name in [*older, master]",
)
def test_a_missing_master_stops_the_rotation_and_nothing_is_given_up(alice, bea, own_home):
    leave(bea)
    key_rotation.begin()
    key_rotation.put_in_use()
    keyring.path_of("0001").rename(own_home / "aside")
    with pytest.raises(ciphers.KeyLost):
        key_rotation.rewrap()
    assert not DataKey.objects.exclude(unreadable_since=None).exists()
    (own_home / "aside").rename(keyring.path_of("0001"))
    assert rotate() == ["0001"] and pseudonym_of(alice) == "alice"


# The operator's copy


@pytest.fixture
def copied_to(settings, tmp_path):
    """The operator's own copy of the keys; while the file `broken` exists, copying fails."""
    target = tmp_path / "copied to"
    target.mkdir()
    settings.KEYS_COPIED_BY = (
        f'test ! -e "{tmp_path}/broken" || {{ echo no space left >&2; exit 7; }};'
        f' rm -rf "{target}"; cp -r "$MASTER_KEYS" "{target}"'
    )
    return target


@mutant(
    "no master key is used before the operator's copy has it",
    "accounts/key_rotation.py",
    kept_by="    keyring.make(asked_for.name)\n    copy_out()\n",
    broken="    keyring.make(asked_for.name)\n",
)
def test_a_new_master_is_copied_before_it_wraps_anything(alice, bea, copied_to, tmp_path):
    leave(bea)
    age()
    (tmp_path / "broken").touch()
    for _ in range(2):
        with pytest.raises(key_rotation.NotCopied, match="exit code 7: no space left"):
            advance()
    assert set(DataKey.objects.values_list("master", flat=True)) == {"0001"}
    assert Site.objects.get().keys_not_copied_since
    (tmp_path / "broken").unlink()
    advance()
    assert sorted(path.stem for path in copied_to.glob("[0-9]*.key")) == ["0001", "0002"]
    assert Site.objects.get().keys_not_copied_since is None


@mutant(
    "no master key is destroyed before the operator's copy has the new ones",
    "accounts/key_rotation.py",
    kept_by="        return\n    copy_out()\n    with transaction.atomic():",
    broken="        return\n    with transaction.atomic():",
)
def test_while_copying_fails_no_master_is_destroyed(alice, bea, copied_to, tmp_path, monkeypatch):
    leave(bea)
    real = key_copy.complete

    def complete_then_break():
        real()
        (tmp_path / "broken").touch()

    monkeypatch.setattr(key_copy, "complete", complete_then_break)
    age()
    for _ in range(2):
        with pytest.raises(key_rotation.NotCopied):
            advance()
        age()
    assert keyring.masters() == ["0001", "0002"]
    monkeypatch.undo()
    (tmp_path / "broken").unlink()
    assert rotate() == ["0001"]


@mutant(
    "backups count as closed only when the operator's copy lost the old master key too",
    "accounts/key_rotation.py",
    kept_by="    if destroyed:\n        copy_out()\n",
    broken="    if destroyed:\n",
)
def test_backups_are_closed_only_when_the_old_master_is_gone_from_the_copy_too(
    alice, bea, copied_to, tmp_path
):
    leave(bea)
    age()
    advance()
    age()
    (tmp_path / "broken").touch()
    with pytest.raises(key_rotation.NotCopied):
        advance()
    assert keyring.masters() == ["0002"]
    assert (copied_to / "0001.key").exists() and Withdrawal.objects.get().backups_closed_at is None
    (tmp_path / "broken").unlink()
    advance()
    assert not (copied_to / "0001.key").exists() and Withdrawal.objects.get().backups_closed_at


@mutant(
    "the operator's copy of the keys learns within minutes of everyone who left",
    "tagger/privacy/rotation.py",
    kept_by="    key_rotation.copy_journal()\n",
    broken="",
)
def test_what_people_ended_is_in_the_operators_copy_with_the_next_beat(alice, bea, copied_to):
    leave(bea)
    advance()
    copied_journal = (copied_to / "journal.jsonl").read_bytes()
    assert copied_journal == (keyring.folder() / "journal.jsonl").read_bytes()
    (copied_to / "journal.jsonl").unlink()
    advance()
    assert not (copied_to / "journal.jsonl").exists()  # nothing new, nothing copied
    consent.withdraw(alice, timezone.now(), purpose=Purpose.RESEARCHERS)
    advance()
    assert (copied_to / "journal.jsonl").read_bytes().startswith(copied_journal)


# Others meanwhile


@pytest.mark.django_db(transaction=True)
def test_people_sign_up_and_leave_while_a_batch_is_being_moved(
    alice, bea, carl, in_background, monkeypatch, client
):
    leave(bea)
    key_rotation.begin()
    key_rotation.put_in_use()
    moving, go_on = Event(), Event()
    save = key_rotation._save

    def slow(moved):
        save(moved)
        moving.set()
        assert go_on.wait(30)

    monkeypatch.setattr(key_rotation, "_save", slow)
    batch = in_background(key_rotation.rewrap)
    assert moving.wait(30)
    client.post("/accounts/signup/", {"username": "nora", "password1": "a long pass phrase"})
    assert User.objects.get_by_natural_key("nora").data_key.master == "0002"
    assert client.get("/healthz").status_code == 200
    go_on.set()
    assert batch.result(timeout=30) >= 2


@pytest.mark.django_db(transaction=True)
def test_people_whose_row_is_in_use_are_moved_later(alice, bea, in_background):
    key_rotation.begin()
    key_rotation.put_in_use()
    with transaction.atomic():
        consent.lock(alice)
        in_background(key_rotation.rewrap).result(timeout=30)
        assert not key_rotation.is_rewrapped()
    key_rotation.rewrap()
    assert key_rotation.is_rewrapped()


@pytest.mark.django_db(transaction=True)
@mutant(
    "no one who signs up waits long for the change of master keys",
    "accounts/models.py",
    kept_by="            cursor.execute(\"SET LOCAL lock_timeout = '2s'\")\n",
    broken="            cursor.execute(\"SET LOCAL lock_timeout = '0'\")\n",
)
def test_a_change_of_masters_gives_up_instead_of_holding_up_sign_ups(alice, in_background):
    def change():
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL statement_timeout = '8s'")
            DataKey.objects.lock_change_of_master()

    with transaction.atomic():
        DataKey.objects.lock_master()
        with pytest.raises(OperationalError, match="lock timeout"):
            in_background(change).result(timeout=30)


@mutant(
    "an erasure does not read everyone's keys",
    "accounts/site.py",
    kept_by="    while last is not None:\n",
    broken="    for last in set(names):\n",
)
def test_an_erasure_reads_as_many_rows_among_many_people_as_among_few(alice, bea, carl, juniper, share):
    share(juniper)
    share(juniper, contributor=with_consent(bea))
    share(juniper, contributor=with_consent(carl))
    rotate_once_for(User.objects.create_user("someone"))
    few = rows_read(lambda: leave(bea))
    for number in range(300):
        User.objects.create_user(f"person {number}")
    key_copy.complete()
    # What the first of them left in the indexes is read again: this transaction cannot clean it up.
    assert rows_read(lambda: leave(carl)) <= few + 20


@mutant(
    "each batch of a rotation goes on where the one before ended",
    "tagger/privacy/rotation.py",
    kept_by="        while last := batch(last):\n",
    broken="        while last := batch(0):\n",
)
def test_the_last_batch_of_a_rotation_reads_no_more_rows_than_the_first(
    alice, juniper, add_tasks, monkeypatch
):
    for number in range(300):
        User.objects.create_user(f"person {number}")
    for task in add_tasks(juniper, 300):
        columns = fingerprints.columns(str(task.pk), task.clip.stored_as, keys.data_key(alice), "0001")
        Clip.objects.filter(pk=task.clip_id).update(**columns)
    key_rotation.begin()
    key_rotation.put_in_use()
    read = {"rewrap": [], "rehash": []}
    for module, name in ((key_rotation, "rewrap"), (fingerprints, "rehash")):
        monkeypatch.setattr(module, "BATCH_SIZE", 25)
        monkeypatch.setattr(module, name, counted(getattr(module, name), read[name]))
    rotation._move(lambda: True)
    for rows in read.values():
        assert len(rows) > 10
        assert rows[-2] <= 2 * rows[0]  # the very last one finds nothing


def counted(batch, rows):
    def and_count(*arguments):
        found = []
        rows.append(rows_read(lambda: found.append(batch(*arguments))))
        return found[0]

    return and_count


def rotate_once_for(person):
    leave(person)
    rotate()


def with_consent(person):
    consent.give(person, "wake-word", Material.WAKE_WORD.purposes, NOW, reference="on paper")
    return person


def rows_read(act):
    """How many rows of tables, and entries of their indexes, this transaction read."""
    tables = ["accounts_user", "accounts_datakey", "datasets_clip", "accounts_consent"]
    query = (
        "SELECT sum(pg_stat_get_xact_tuples_returned(oid)) FROM pg_class WHERE relname = ANY(%s)"
        " OR oid IN (SELECT indexrelid FROM pg_index JOIN pg_class of ON of.oid = indrelid"
        " WHERE of.relname = ANY(%s))"
    )

    def count():
        with connection.cursor() as cursor:
            cursor.execute(query, [tables, tables])
            return cursor.fetchone()[0]

    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")  # of small tables the planner reads every row
    before = count()
    act()
    return count() - before


def test_beat_asks_for_rotations_so_often_that_a_site_without_a_schedule_rotates_too(settings):
    entry = settings.CELERY_BEAT_SCHEDULE["key rotation"]
    assert entry["task"] == tasks.rotate_master_key.name and entry["schedule"] <= timedelta(minutes=5)


def test_erasures_and_rotations_have_a_queue_of_their_own():
    """Asked of the broker itself: each message is in one queue, and in the right one."""
    with redis.Redis.from_url(settings.REDIS_URL) as broker:
        broker.delete("celery", "erasures")
        for task in (tasks.scrub_unfinished, tasks.rotate_master_key):
            task.delay()
        tasks.scrub.delay(0)
        site_tasks.settle.delay()
        assert (broker.llen("erasures"), broker.llen("celery")) == (3, 1)
        broker.delete("celery", "erasures")


@mutant(
    "the ledger says since when the operator's copy of the keys fails",
    "tagger/privacy/ledger.py",
    kept_by='rotation.state(timezone.now())["keys_not_copied_since"]',
    broken="None",
)
def test_what_is_overdue_is_shown_to_who_monitors_the_site(alice, bea, client, copied_to, tmp_path):
    leave(bea)
    assert client.get("/readyz").json()["details"] == {
        "erasures_overdue_in_backups": 0,
        "unreadable_data_keys": 0,
        "keys_not_copied_since": None,
    }
    Withdrawal.objects.update(finished_at=timezone.now() - timedelta(hours=25))
    (tmp_path / "broken").touch()
    age()
    with pytest.raises(key_rotation.NotCopied):
        advance()
    details = client.get("/readyz").json()["details"]
    assert details["erasures_overdue_in_backups"] == 1 and details["keys_not_copied_since"]
    assert "copying the keys to their second place has failed" in client.get("/ledger/").content.decode()

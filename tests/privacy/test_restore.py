"""The restore drill: left before the backup, left after it, withdrew one box, deleted one clip, stayed."""

import json
import os
import shutil
import signal
import subprocess
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts import consent, devices, journal
from accounts.factors import authenticators
from accounts.models import Device, Material, ProgramToken, Purpose, User
from datasets.clips import vault
from datasets.models import Clip, Withdrawal
from tagger.privacy import backup, withdrawal
from tests.support import databases
from tests.support.factors import SECRET, give_factor
from tests.support.mutants import mutant
from tests.support.rotation import rotate
from tests.support.site import ROOT

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.thorough]

PASSWORD = "a long pass phrase"
CAST = ("left-before", "left-after", "withdrew", "deleted", "stayed", "listened")


def scrub_all():
    for pk in withdrawal.unfinished():
        withdrawal.scrub(Withdrawal.objects.get(pk=pk), timezone.now)


def leave(person, keep_answers=False):
    token = withdrawal.forget_account(person, keep_answers, timezone.now()).token
    scrub_all()
    return token


@pytest.fixture
def cast(juniper, sentences, share):
    """Everyone with consent to everything and two clips."""
    vault.establish()
    found = {name: User.objects.create_user(name, f"{name}@example.org", PASSWORD) for name in CAST}
    for person in found.values():
        for material in Material:
            consent.give(person, material, material.purposes, timezone.now(), reference="on paper")
        for campaign in (juniper, sentences):
            share(campaign, contributor=person)
    return found


@pytest.fixture
def after(cast, tmp_path):
    """Between backup and restore: the folder of the backup, the receipts' tokens, a newcomer's number."""
    tokens = {"left-before": leave(cast["left-before"])}
    device = Device(owner=cast["stayed"], paired_in="2026-Q2")
    device.about = {"name": "kitchen"}
    device.save()
    token = ProgramToken.objects.create(cast["stayed"])[0]
    for name in ("deleted", "stayed"):
        give_factor(cast[name])
    codes = RecoveryCodes.activate(cast["stayed"])
    lost = cast["stayed"].authenticator_set.get(type="totp")
    call_command("backup", str(tmp_path / "backup"), stdout=StringIO())
    tokens["left-after"] = leave(cast["left-after"])
    tokens["listened"] = leave(cast["listened"], keep_answers=True)
    newcomer = User.objects.create_user("newcomer", password=PASSWORD)
    tokens["newcomer"] = leave(newcomer)
    consent.withdraw(cast["withdrew"], timezone.now(), purpose=Purpose.PUBLIC)
    gone = cast["deleted"].clips.order_by("pk").first()
    tokens["deleted"] = withdrawal.forget_clips(cast["deleted"], [gone.pk], timezone.now()).token
    scrub_all()
    devices.revoke(device, timezone.now().date())
    journal.append("token", timezone.now(), digest=token.digest)
    token.delete()
    with authenticators.removing(cast["stayed"]):
        lost.delete()
    first = codes.get_unused_codes()[0]
    assert codes.validate_code(first)
    authenticators.use_code(codes.instance, first)
    rotate()
    return tmp_path / "backup", tokens, newcomer.pk


@pytest.fixture
def elsewhere(site_environment, own_home, tmp_path):
    """Another machine: an empty database, an empty disk, and the newest copy of the key folder."""
    name = f"restored_{os.getpid()}"
    with databases.server() as cursor:
        databases.create(cursor, name)
    home = tmp_path / "elsewhere"
    yield site_environment | {
        "DATABASE_URL": databases.url(name),
        "TAGGER_HOME": str(home),
        "MASTER_KEYS": str(home / "keys"),
        "PYTHONPATH": str(ROOT),
    }
    with databases.server() as cursor:
        databases.drop(cursor, name)


def bring_keys(own_home, environment):
    shutil.rmtree(environment["MASTER_KEYS"], ignore_errors=True)
    shutil.copytree(own_home / "keys", environment["MASTER_KEYS"])


# Prints what a visitor, a volunteer and an auditor would find.
LOOK = """
import json
from django.contrib.auth import authenticate
from django.utils import timezone
from accounts import audit, consent, signing
from accounts.models import *
from datasets.clips import fingerprints, vault
from datasets.models import Clip
from accounts.models import ProgramToken
from allauth.mfa.models import Authenticator
from tagger.privacy import reconciler, withdrawal
def may_log_in(name):
    return bool(authenticate(None, username=name, password="a long pass phrase"))
def clips_of(name):
    person = User.objects.found_by(name).first()
    return [vault.get(clip)[:4].decode() for clip in person.clips.all()] if person else None
def receipt(token):
    found = withdrawal.receipt(token)
    signing.verify(found)
    return {what: found[what] for what in ("scope", "requested_at", "finished_at", "erased", "audit")}
def boxes(name):
    person = User.objects.found_by(name).first()
    live = consent.live_now(person) if person else []
    return sorted(f"{given.material} {given.purpose}" for given in live)
def address_of(name):
    return User.objects.found_by(name).get().address
tokens = json.loads(%r)
names = json.loads(%r)
orphans = reconciler.reconcile(timezone.now()).orphans
print(json.dumps({
    "log_in": {name: may_log_in(name) for name in names},
    "clips": {name: clips_of(name) for name in names},
    "boxes": {name: boxes(name) for name in names},
    "addresses": {name: address_of(name) for name in ("stayed", "withdrew", "deleted")},
    "receipts": {name: receipt(token) for name, token in tokens.items()},
    "devices": [(each.about["name"], bool(each.revoked_on)) for each in Device.objects.all()],
    "tokens": ProgramToken.objects.count(),
    "factors": [(each.type, each.data.get("secret") or each.data["used_mask"])
        for each in Authenticator.objects.order_by("pk")],
    "broken_at": audit.broken_at(),
    "restored": list(AuditEvent.objects.filter(act="restored").values_list("about", flat=True)),
    "orphans": {kind: count for kind, count in orphans.items() if count},
    "samples": sorted(fingerprints.of(clip) for clip in Clip.objects.all()),
    "unfinished": withdrawal.unfinished(),
}))
"""


@pytest.fixture
def look(manage):
    def run(environment, tokens):
        script = LOOK % (json.dumps(tokens), json.dumps([*CAST, "newcomer"]))
        quick = {"DJANGO_SETTINGS_MODULE": "tests.support.quick_passwords"}
        return json.loads(manage(environment | quick, "shell", "--no-imports", "-v", "0", "-c", script))

    return run


def everything_is_right(found, before):
    stays = {"withdrew", "deleted", "stayed"}
    assert {name for name, may in found["log_in"].items() if may} == stays
    assert {name: len(clips) for name, clips in found["clips"].items() if clips} == {
        "withdrew": 2,
        "deleted": 1,
        "stayed": 2,
    }
    assert len(found["boxes"]["stayed"]) == 7 and found["boxes"]["withdrew"] == [
        box for box in found["boxes"]["stayed"] if "public" not in box
    ]
    assert found["addresses"] == {name: f"{name}@example.org" for name in stays}
    assert found["receipts"] == before["receipts"]
    assert found["samples"] == before["samples"]
    assert (found["devices"], found["tokens"]) == ([["kitchen", True]], 0)
    assert found["factors"] == [["totp", SECRET], ["recovery_codes", 1]]  # of who deleted, of who stayed
    assert (found["broken_at"], found["orphans"], found["unfinished"]) == (None, {}, [])
    assert found["restored"][0].endswith("are lost")


@mutant(
    "a restore erases again everyone who left since the backup",
    "tagger/privacy/restore.py",
    kept_by="            done.receipts_found_again += withdrawal.ask_again(entry)\n",
    broken="            pass\n",
)
@mutant(
    "a restore ends again every consent that was withdrawn since the backup",
    "tagger/privacy/restore.py",
    kept_by='consent.end_again(entry["ended"], at)',
    broken="0",
)
@mutant(
    "a withdrawn box is in the journal",
    "accounts/consent.py",
    kept_by='        journal.append("consents", at, ended=[given.pk for given in ending])\n',
    broken="        pass\n",
)
@mutant(
    "a restored receipt says what it said before",
    "tagger/privacy/restore.py",
    kept_by="            withdrawal.finished_before(request, erased[request.token_sha256])\n",
    broken="            pass\n",
)
@mutant(
    "a restore brings back no factor that was removed since the backup",
    "tagger/privacy/restore.py",
    kept_by='authenticators.remove_again(entry["factor"])',
    broken="0",
)
@mutant(
    "a restore brings back no recovery code that was used since the backup",
    "tagger/privacy/restore.py",
    kept_by='authenticators.use_again(entry["factor"], entry["used"])',
    broken="0",
)
@mutant(
    "a restored factor opens though its owner's data key was replaced since",
    "accounts/key_copy.py",
    kept_by='        authenticators.restore(line["person"], line.get("factors", {}))\n',
    broken="",
)
@mutant(
    "a restore revokes again what was revoked since the backup",
    "tagger/privacy/restore.py",
    kept_by='            done.devices_revoked_again += devices.revoke_again(entry["uuid"], on)\n',
    broken="            pass\n",
)
def test_a_restore_brings_back_everything_of_who_stayed_and_no_one_who_left(
    manage, look, after, elsewhere, own_home, site_environment
):
    folder, tokens, newcomer = after
    before = look(site_environment, tokens)
    bring_keys(own_home, elsewhere)
    said = manage(elsewhere, "restore", folder)
    assert "4 receipts found again" in said and "3 erased again" in said
    everything_is_right(look(elsewhere, tokens), before)
    manage(elsewhere, "check_site")
    manage(elsewhere, "verify_audit")
    # Numbers that someone had after the backup are never given out again.
    code = "from accounts.models import User; print(User.objects.create_user('someone').pk)"
    assert int(manage(elsewhere, "shell", "--no-imports", "-v", "0", "-c", code)) > newcomer


def test_a_backup_of_the_restored_site_restores_too(
    manage, look, after, elsewhere, own_home, tmp_path, site_environment
):
    folder, tokens, _newcomer = after
    before = look(site_environment, tokens)
    bring_keys(own_home, elsewhere)
    manage(elsewhere, "restore", folder)
    manage(elsewhere, "backup", tmp_path / "second")
    with databases.server() as cursor:
        databases.create(cursor, elsewhere["DATABASE_URL"].rpartition("/")[2])
    shutil.rmtree(tmp_path / "elsewhere" / "vault")
    manage(elsewhere, "restore", tmp_path / "second")
    everything_is_right(look(elsewhere, tokens), before)


STEPS = [
    "restore._restore_database",
    "restore._adopt_masters",
    "restore._restore_vault",
    "restore._put_keys_back",
    "withdrawal.ask_again",
    "withdrawal.scrub",
    "withdrawal.finished_before",
    "restore._replay",
]

RESTORE_UNTIL = """
import os, signal, sys
import django; django.setup()
from django.core.management import call_command
from tagger.privacy import restore, withdrawal
folder, step, when, how = sys.argv[1:]
module, name = step.split(".")
module = globals()[module]
real = getattr(module, name)
def lose():
    if how == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
def failing(*args):
    if when == "before":
        lose()
    real(*args)
    lose()
setattr(module, name, failing)
call_command("restore", folder)
"""


@mutant(
    "a site whose restore was not finished does not start",
    "accounts/site.py",
    kept_by="    if not _is_restoring.get() and (",
    broken="    if False and (",
)
def test_a_restore_that_fails_at_any_step_starts_no_site_and_the_next_one_ends_right(
    manage, look, python, after, elsewhere, own_home, site_environment
):
    folder, tokens, _newcomer = after
    before = look(site_environment, tokens)
    environment = elsewhere | {"DJANGO_SETTINGS_MODULE": "tagger.settings"}
    bring_keys(own_home, elsewhere)
    for number, step in enumerate(STEPS):
        when, how = ("before", "after")[number % 2], ("kill", "disconnect")[number // 2 % 2]
        done = python.run("-c", RESTORE_UNTIL, folder, step, when, how, env=environment)
        assert done.returncode == (-signal.SIGKILL if how == "kill" else 1), (step, done.stderr)
        refused = manage(elsewhere, "check_site", code=1)
        assert "is not finished" in refused or "the database does not answer" in refused, (step, refused)
    manage(elsewhere, "restore", folder)
    everything_is_right(look(elsewhere, tokens), before)


def test_without_the_copy_of_the_keys_nothing_would_open_and_nothing_is_restored(
    manage, after, elsewhere, own_home
):
    folder, _tokens, _newcomer = after
    bring_keys(own_home, elsewhere)
    os.unlink(f"{elsewhere['MASTER_KEYS']}/copy.sqlite3")
    assert "without it nothing in the backup opens" in manage(elsewhere, "restore", folder, code=1)


def test_a_database_restored_by_hand_starts_no_site_until_who_left_is_erased_again(
    manage, look, after, elsewhere, own_home, site_environment
):
    folder, tokens, _newcomer = after
    before = look(site_environment, tokens)
    bring_keys(own_home, elsewhere)
    [dump] = (folder / "database").glob("*.dump")
    name = elsewhere["DATABASE_URL"].rpartition("/")[2]
    command = [backup.program("pg_restore"), "--no-owner", "--dbname", name, str(dump)]
    subprocess.run(command, check=True, env=backup.environment())
    shutil.copytree(folder / "vault", f"{elsewhere['TAGGER_HOME']}/vault")
    refused = manage(elsewhere, "check_site", code=1)
    assert "the keys of this database are not in" in refused
    manage(elsewhere, "restore", "--in-place")
    everything_is_right(look(elsewhere, tokens), before)


@mutant(
    "a site whose database was restored by other means does not start with who left in it",
    "tagger/management/commands/check_site.py",
    kept_by="        if number := withdrawal.unknown_to_database():\n",
    broken="        if number := 0:\n",
)
def test_a_database_older_than_the_journal_is_refused(alice, bea):
    call_command("check_site")
    leave(bea)
    call_command("check_site")
    Withdrawal.objects.all().delete()
    with pytest.raises(CommandError, match="older than 1 erasures in the journal"):
        call_command("check_site")


# What a restore refuses


@pytest.fixture
def small(alice, juniper, share, tmp_path):
    share(juniper)
    call_command("backup", str(tmp_path / "backup"), stdout=StringIO())
    return tmp_path / "backup"


def test_a_restore_needs_the_keys_of_its_site(manage, small, elsewhere, own_home):
    assert "put the newest copy of its key folder there" in manage(elsewhere, "restore", small, code=1)
    bring_keys(own_home, elsewhere)
    mark = {"site": "00000000-0000-4000-8000-000000000000", "complete": True}
    Path(elsewhere["MASTER_KEYS"], "site.json").write_text(json.dumps(mark))
    assert "are of 00000000" in manage(elsewhere, "restore", small, code=1)


def test_a_restore_refuses_a_database_with_people(manage, small, site_environment):
    said = manage(site_environment, "restore", small, code=1)
    assert "restore into an empty database" in said and User.objects.exists()


@pytest.mark.parametrize("damage", ["torn", "missing", "no manifest", "nonsense", "journal"])
def test_a_damaged_backup_is_refused_before_anything_is_changed(manage, small, elsewhere, own_home, damage):
    bring_keys(own_home, elsewhere)
    [dump] = (small / "database").glob("*.dump")
    if damage == "torn":
        dump.write_bytes(dump.read_bytes()[:-1])
    elif damage == "missing":
        dump.unlink()
    elif damage == "no manifest":
        dump.with_suffix(".json").unlink()
    elif damage == "nonsense":
        dump.with_suffix(".json").write_text("[")
    else:
        Path(elsewhere["MASTER_KEYS"], "journal.jsonl").write_text("nonsense\n{}\n")
    said = manage(elsewhere, "restore", small, code=1)
    assert said.startswith("CommandError: ") and said.count("\n") == 1
    assert "restoring" not in Path(elsewhere["MASTER_KEYS"], "site.json").read_text()


# Backups


def test_a_second_backup_copies_only_what_is_new_and_drops_what_was_erased(cast, tmp_path, juniper, share):
    to = tmp_path / "backup"
    first = backup.copy_vault_to(to / "vault")
    assert (first.copied, first.kept, first.removed) == (12, 0, 0)
    leave(cast["left-before"])
    share(juniper, contributor=cast["stayed"])
    second = backup.copy_vault_to(to / "vault")
    assert (second.copied, second.kept, second.removed) == (1, 10, 2)
    copied = {str(path.relative_to(to / "vault")) for path in (to / "vault").rglob("*") if path.is_file()}
    assert copied == set(Clip.objects.values_list("stored_as", flat=True))


def test_a_backup_holds_no_key(cast, tmp_path, own_home):
    call_command("backup", str(tmp_path / "backup"), stdout=StringIO())
    held = b"".join(path.read_bytes() for path in (tmp_path / "backup").rglob("*") if path.is_file())
    for path in (own_home / "keys").glob("*.key"):
        assert path.read_bytes() not in held


def test_keys_are_copied_apart_and_destroyed_ones_leave_the_copy(cast, tmp_path, own_home):
    arguments = [str(tmp_path / "backup"), "--keys-to", str(tmp_path / "keys elsewhere")]
    call_command("backup", *arguments, stdout=StringIO())
    assert (tmp_path / "keys elsewhere" / "0001.key").exists()
    leave(cast["left-before"])
    rotate()
    call_command("backup", *arguments, stdout=StringIO())
    names = {path.name for path in (tmp_path / "keys elsewhere").iterdir()}
    assert names == {path.name for path in (own_home / "keys").iterdir()} and "0001.key" not in names
    with pytest.raises(CommandError, match="must not be in one place"):
        call_command("backup", str(tmp_path / "backup"), "--keys-to", str(tmp_path / "backup" / "keys"))


def test_a_backup_that_cannot_be_written_says_where(cast, tmp_path):
    (tmp_path / "backup").write_text("a file")
    with pytest.raises(CommandError, match="backup: "):
        call_command("backup", str(tmp_path / "backup"))


BACKUP_UNTIL = """
import os, signal, sys
import django; django.setup()
from django.core.management import call_command
from tagger.privacy import backup
folder, step, how = sys.argv[1:]
real = getattr(backup, step)
def failing(*args):
    if how == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
setattr(backup, step, failing)
call_command("backup", folder)
"""


@pytest.mark.parametrize("how", ["kill", "disconnect"])
@pytest.mark.parametrize("step", ["_dump", "run", "copy_vault_to", "_write_whole", "sha256"])
def test_a_backup_that_fails_leaves_the_one_before_whole(in_site, cast, tmp_path, step, how):
    folder = tmp_path / "backup"
    call_command("backup", str(folder), stdout=StringIO())
    [complete] = (folder / "database").glob("*.json")
    (next(path for path in (folder / "vault").rglob("*") if path.is_file())).unlink()
    done = in_site(BACKUP_UNTIL, folder, step, how)
    assert done.returncode == (-signal.SIGKILL if how == "kill" else 1), done.stderr
    assert list((folder / "database").glob("*.json")) == [complete]
    manifest = json.loads(complete.read_text())
    assert backup.sha256(complete.with_suffix(".dump")) == manifest["sha256"]
    call_command("backup", str(folder), stdout=StringIO())
    copied = {
        str(path.relative_to(folder / "vault")) for path in (folder / "vault").rglob("*") if path.is_file()
    }
    assert copied == set(Clip.objects.values_list("stored_as", flat=True))


def test_a_second_backup_in_the_same_second_leaves_the_one_before(cast, tmp_path):
    now = timezone.now().replace(microsecond=0)
    folder = tmp_path / "backup"
    first = backup.make(folder, now, None, print)
    backup.make(folder, now + timedelta(milliseconds=1), None, print)
    assert len(list((folder / "database").glob("*.json"))) == 2
    assert backup.sha256(folder / "database" / first["dump"]) == first["sha256"]


# The journal


def test_a_line_that_was_torn_by_a_kill_loses_no_other(alice, own_home):
    withdrawal.forget_clips(alice, [], timezone.now())
    path = own_home / "keys" / "journal.jsonl"
    path.write_bytes(path.read_bytes() + b'{"id":"torn","kind":"cons')
    withdrawal.forget_contributor(alice, timezone.now())
    kinds = [entry["kind"] for entry in journal.entries()]
    assert kinds == ["withdrawal", "consents", "withdrawal"] and journal.pending(timezone.now()) == []


@mutant(
    "of an act that was never committed the journal says so",
    "tagger/privacy/withdrawal.py",
    kept_by="        (journal.confirm if _was_committed(entry) else journal.void)(entry)\n",
    broken="        journal.confirm(entry)\n",
)
def test_an_act_that_was_rolled_back_is_void_after_an_hour(alice, monkeypatch):
    monkeypatch.setattr(Withdrawal.objects, "create", lambda **columns: 1 / 0)
    now = timezone.now()
    with pytest.raises(ZeroDivisionError):
        withdrawal.forget_contributor(alice, now - timedelta(hours=2))
    assert [entry["kind"] for entry in journal.pending(now)] == ["consents"]
    assert withdrawal.settle_journal(now) == 1
    assert journal.pending(now) == journal.entries() == []
    assert consent.live_now(alice)


def test_what_was_asked_for_a_moment_ago_is_not_void(alice, monkeypatch):
    monkeypatch.setattr(Withdrawal.objects, "create", lambda **columns: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        withdrawal.forget_contributor(alice, timezone.now())
    assert withdrawal.settle_journal(timezone.now()) == 0 and journal.entries()

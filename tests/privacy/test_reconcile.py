"""The reconciler finds every file, row, key and clip that lacks its counterpart, and nothing else."""

import os
import secrets
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts import consent
from accounts import key_copy as copied
from accounts.models import Consent, DataKey, User
from datasets.clips import vault
from datasets.models import Annotation, Clip, Reconciliation, Release, Task, Withdrawal
from datasets.releases import freezing
from tagger.privacy import key_copy, reconciler, withdrawal
from tagger.settling import settlement
from tests.conftest import NOW
from tests.support.mutants import mutant

HOUR = timedelta(hours=1)


@pytest.fixture
def clips(alice, juniper, share, volunteers):
    """Three clips, one of them in a release."""
    tasks = [share(juniper) for _ in range(3)]
    for person in volunteers[:2]:
        Annotation.objects.create(task=tasks[0], annotator=person, answer="yes", created_at=NOW)
    Task.objects.filter(pk=tasks[0].pk).update(annotation_count=2)
    settlement.settle(tasks[0].pk, NOW)
    freezing.freeze("spring", [juniper], NOW)
    key_copy.complete()
    age_all()
    return list(Clip.objects.order_by("pk"))


def age_all(by=HOUR + timedelta(minutes=5)):
    """Make every file look this old."""
    then = (timezone.now() - by).timestamp()
    for path in Path(storages["vault"].location).rglob("*"):
        os.utime(path, (then, then))


def planted(name="", by=2 * HOUR):
    """Put a file into the vault that no row names, this old; returns its name."""
    name = storages["vault"].save(name or vault.new_name(), ContentFile(b"whose is it?"))
    then = (timezone.now() - by).timestamp()
    os.utime(storages["vault"].path(name), (then, then))
    return name


def orphans(**options):
    """Run the reconciler; returns the kinds of orphans it found, with their counts."""
    found = reconciler.reconcile(timezone.now(), **options)
    assert set(found.orphans) == set(reconciler.KINDS)
    return {kind: count for kind, count in found.orphans.items() if count}


# --- ways to break each rule ----------------------------------------------------------------------


def a_file_without_row(clips):
    planted()


def a_row_deleted_and_its_file_kept(clips):
    Task.objects.filter(clip=clips[2]).delete()
    clips[2].delete()


def a_draft_left(clips):
    planted(f"ab/cd/{secrets.token_hex(16)}.1234.part")


def a_file_gone(clips):
    vault.destroy(clips[1].stored_as)


def a_key_of_another(clips):
    Clip.objects.filter(pk=clips[1].pk).update(wrapped_key=clips[0].wrapped_key)


def a_key_never_kept(clips):
    Clip.objects.filter(pk=clips[1].pk).update(wrapped_key=b"")


def a_consent_ended_and_clips_kept(clips):
    given = Consent.objects.live().get(
        contributor=clips[0].contributor, material="wake-word", purpose="volunteers"
    )
    consent._end(Consent.objects.filter(pk=given.pk), NOW)


def an_erasure_that_says_it_is_done(clips):
    done = Withdrawal.objects.create(
        person_id=1, scope="clips", token_sha256="x", requested_at=NOW, finished_at=NOW
    )
    Clip.objects.filter(pk=clips[1].pk).update(withdrawal=done)


def a_person_gone_with_a_key(clips):
    User.objects.create_user("gone")
    person = User.objects.get_by_natural_key("gone")
    User.objects.filter(pk=person.pk).update(username="gone-0123")


def a_key_kept_in_the_copy_alone(clips):
    person = User.objects.create_user("gone")
    key_copy.complete()
    person.forget()


def a_clips_key_kept_in_the_copy_alone(clips):
    copied.put([{"clip": "gone", "contributor": clips[0].contributor_id, "wrapped": ""}])


def a_master_lost(clips, settings):
    [path] = settings.MASTER_KEYS.glob("[0-9]*.key")
    path.rename(path.with_suffix(".lost"))


def an_erasure_overdue(clips):
    withdrawal.forget_clips(clips[0].contributor, [clips[1].pk], timezone.now() - timedelta(minutes=6))


def an_erasure_that_old_backups_still_open(clips):
    past = timezone.now() - timedelta(hours=25)
    Withdrawal.objects.create(
        person_id=1, scope="clips", token_sha256="y", requested_at=past, finished_at=past, last_master=1
    )


def a_data_key_that_opens_nowhere(clips):
    User.objects.create_user("torn")
    DataKey.objects.filter(pk=DataKey.objects.latest("pk").pk).update(unreadable_since=timezone.now())


def a_released_row_without_its_task(clips):
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET session_replication_role = replica")  # without this, the database refuses
        cursor.execute("DELETE FROM datasets_clip WHERE id = %s", [clips[0].pk])
        cursor.execute("SET session_replication_role = origin")
    vault.destroy(clips[0].stored_as)


BREAKS = {
    a_file_without_row: {"files_without_rows": 1},
    a_row_deleted_and_its_file_kept: {"files_without_rows": 1},
    a_draft_left: {"leftover_drafts": 1},
    a_file_gone: {"rows_without_files": 1},
    a_key_of_another: {"keys_that_do_not_open": 1},
    a_key_never_kept: {"keys_that_do_not_open": 1},
    a_consent_ended_and_clips_kept: {"clips_without_consent": 3},
    an_erasure_that_says_it_is_done: {"clips_past_erasure": 1, "overdue_in_backups": 1},
    a_person_gone_with_a_key: {"keys_without_owner": 1},
    a_key_kept_in_the_copy_alone: {"keys_without_owner": 1},
    a_clips_key_kept_in_the_copy_alone: {"keys_without_owner": 1},
    an_erasure_overdue: {"overdue_erasures": 1},
    an_erasure_that_old_backups_still_open: {"overdue_in_backups": 1},
    a_data_key_that_opens_nowhere: {"unreadable_keys": 1},
    a_released_row_without_its_task: {"release_rows_without_clip": 1},
}


def test_nothing_is_found_when_everything_is_in_order(clips):
    found = reconciler.reconcile(timezone.now())
    assert not any(found.orphans.values())
    assert (found.held["clips"], found.held["files"], found.held["keys"]) == (3, 3, DataKey.objects.count())


def test_an_empty_site_is_in_order(db):
    assert orphans() == {}


@mutant(
    "the reconciler sees a clip that no live consent covers",
    "tagger/privacy/reconciler.py",
    kept_by="    if not clip.covered:",
    broken="    if False:",
)
@mutant(
    "the reconciler sees a file that no clip names",
    "tagger/privacy/reconciler.py",
    kept_by="    yield from _orphaned_files(now, totals)\n",
    broken="",
)
@mutant(
    "the reconciler sees an erasure that is overdue",
    "tagger/privacy/reconciler.py",
    kept_by="requested_at__lt=now - ERASED_WITHIN",
    broken="requested_at=None",
)
@pytest.mark.parametrize("break_it", BREAKS, ids=lambda way: way.__name__)
def test_each_kind_is_found_and_counted(clips, break_it):
    break_it(clips)
    assert orphans() == BREAKS[break_it]


def test_a_lost_master_key_is_found_and_so_is_what_it_wrapped(clips, settings):
    a_master_lost(clips, settings)
    assert orphans() == {"missing_masters": 1, "keys_that_do_not_open": 3}


def test_an_upload_in_progress_is_no_orphan(clips):
    planted(by=timedelta(seconds=30))
    planted(f"ab/{secrets.token_hex(16)}.1234.part", by=timedelta(seconds=30))
    assert orphans() == {}


def test_an_erasure_in_progress_is_no_orphan(clips, alice):
    withdrawal.forget_contributor(alice, timezone.now())
    vault.destroy(clips[0].stored_as)  # the scrub got this far
    assert orphans() == {}


def test_a_finished_erasure_leaves_everything_in_order(clips, alice):
    withdrawal.forget_account(alice, False, timezone.now())
    for pk in withdrawal.unfinished():
        withdrawal.scrub(Withdrawal.objects.get(pk=pk), timezone.now)
    assert orphans() == {}


def test_a_clip_erased_while_the_reconciler_runs_is_no_orphan(clips, monkeypatch):
    """Its file is gone at the first look, and its row at the second."""
    exists = storages["vault"].exists

    def erased(name):
        monkeypatch.undo()
        Task.objects.filter(clip=clips[2]).delete()
        Clip.objects.filter(pk=clips[2].pk).delete()
        vault.destroy(clips[2].stored_as)
        return exists(name)

    monkeypatch.setattr(storages["vault"], "exists", erased)
    assert orphans() == {}


def test_more_than_one_batch_is_checked(clips, monkeypatch):
    monkeypatch.setattr(reconciler, "BATCH_SIZE", 2)
    [planted() for _ in range(3)]
    a_consent_ended_and_clips_kept(clips)
    found = reconciler.reconcile(timezone.now())
    assert (found.held["clips"], found.held["files"]) == (3, 6)
    assert (found.orphans["files_without_rows"], found.orphans["clips_without_consent"]) == (3, 3)


@mutant(
    "removing orphaned files spares those of an upload in progress",
    "tagger/privacy/reconciler.py",
    kept_by="not _is_older(name, now - REMOVED_AFTER)",
    broken="False",
)
def test_orphaned_files_are_removed_on_request_and_nothing_else_is(clips):
    orphan, draft = planted(), planted(f"ab/{secrets.token_hex(16)}.1234.part")
    a_key_never_kept(clips)
    young = planted(by=timedelta(minutes=10))
    assert orphans(remove=True) == {"keys_that_do_not_open": 1, "files_without_rows": 1}
    there = storages["vault"].exists
    assert (there(orphan), there(draft), there(young)) == (False, False, True)
    assert all(there(clip.stored_as) for clip in clips)


def test_without_the_request_nothing_is_removed(clips):
    orphan = planted()
    orphans()
    assert storages["vault"].exists(orphan)


def run(*options):
    output = StringIO()
    call_command("reconcile", *options, stdout=output)
    return output.getvalue()


def test_the_command_prints_counts_and_succeeds(clips):
    output = run()
    assert "clips 3" in output and "Everything is in order." in output
    assert output.count("\n0 ") == len(reconciler.KINDS)


def test_the_command_exits_with_1_on_any_orphan(clips):
    name = planted()
    with pytest.raises(CommandError) as refusal:
        run()
    assert refusal.value.returncode == 1
    with pytest.raises(CommandError):
        run("--verbosity", "2")
    assert "removed 1" in run("--remove")
    assert not storages["vault"].exists(name)
    assert "Everything is in order." in run()


def test_each_orphan_is_listed_on_request(clips):
    name, output = planted(), StringIO()
    with pytest.raises(CommandError):
        call_command("reconcile", verbosity=2, stdout=output)
    assert f"files_without_rows: {name}" in output.getvalue()


def page():
    answer = Client().get("/ledger/")
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_the_ledger_shows_the_latest_check_to_everyone(clips):
    assert "Nothing has been checked yet" in page()
    planted()
    reconciler.reconcile(timezone.now())
    shown = page()
    assert "<dt>Clips</dt><dd>3</dd>" in shown
    assert "<dt>Files without a clip</dt><dd>1</dd>" in shown
    assert "<dt>Clips whose key does not work</dt><dd>0</dd>" in shown
    assert "clean_copy.py" in shown


def test_the_ledger_shows_how_long_erasures_take(clips):
    for minutes in (1, 2, 30):
        at = {"requested_at": NOW, "finished_at": NOW + timedelta(minutes=minutes)}
        Withdrawal.objects.create(person_id=1, scope="clips", token_sha256=str(minutes), **at)
    assert reconciler.reconcile(timezone.now()).erasures == {"finished": 3, "median": 2.0, "longest": 30.0}
    assert "<dd>3</dd>" in page() and "30.0 minutes" in page()


def test_only_counts_are_stored(clips):
    name = planted()
    a_key_never_kept(clips)
    reconciler.reconcile(timezone.now())
    stored = str(Reconciliation.objects.values().get())
    assert name not in stored and clips[1].stored_as not in stored
    assert Release.objects.get().slug not in stored


def test_the_ledger_does_not_change_between_two_checks(clips, alice):
    reconciler.reconcile(timezone.now())
    before = page()
    withdrawal.forget_contributor(alice, timezone.now())
    for pk in withdrawal.unfinished():
        withdrawal.scrub(Withdrawal.objects.get(pk=pk), timezone.now)
    assert page() == before

"""Clips are added by a worker that may be killed at any moment; an import is cancelled, undone, forgotten."""

import json
import subprocess
import sys
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from accounts import audit, key_rotation
from accounts.models import AuditEvent
from datasets.clips import imports as clip_imports
from datasets.clips import intake, vault
from datasets.imports import ending, gathering, report, running, sealing
from datasets.imports.refusals import ImportRefused
from datasets.models import Clip, Import, ImportFile, ImportPart, Recall, Task, Withdrawal
from tagger.imports import undoing, withdrawing
from tagger.privacy import erasure, withdrawal
from tests.clips.test_imports import row_with
from tests.conftest import NOW
from tests.support.mutants import mutant
from tests.support.site import ROOT, eventually

from .conftest import COLLECTION, run_to_the_end, sound, start, uploads

PROCEED = "from datasets.imports.tasks import proceed; proceed()"
SIX = {f"{number}.wav": sound(number) for number in range(6)}


def scrubbed():
    for request in Withdrawal.objects.filter(finished_at=None):
        withdrawal.scrub(request, timezone.now)


def is_alone():
    """Whether the server has ended all connections but this one; that of a killed process ends later."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
        return cursor.fetchone() == (0,)


@pytest.mark.django_db(transaction=True)
def test_a_killed_worker_doubles_nothing_and_loses_nothing(
    alice, juniper, bring, own_home, site_environment, lock_is_awaited, settings
):
    """Killed where it hurts: the fourth clip's row waits for ours; then where all is stored but not told."""
    run = bring(SIX)
    running.start(run, NOW)
    environment = site_environment
    with transaction.atomic():
        row_with(intake.read(SIX["3.wav"]), alice, juniper).save()
        worker = subprocess.Popen(
            [sys.executable, "manage.py", "shell", "-v", "0", "-c", PROCEED], cwd=ROOT, env=environment
        )
        assert eventually(lock_is_awaited)
        worker.kill()
        assert worker.wait() == -9
        transaction.set_rollback(True)
    assert eventually(is_alone)
    assert Clip.objects.count() == ImportFile.objects.filter(state="added").count() == 3
    assert run_to_the_end(run) == {"waiting": 0, "added": 6, "held": 0, "refused": 0}
    assert Clip.objects.count() == Task.objects.count() == 6 and not uploads(own_home)
    assert all(vault.get(clip).startswith(b"RIFF") for clip in Clip.objects.all())


@mutant(
    "what became of a file is stored together with its clip",
    "datasets/clips/intake.py",
    kept_by="        if record:\n            record(submissions, outcomes)\n    return outcomes",
    broken="    if record:\n        record(submissions, outcomes)\n    return outcomes",
)
@pytest.mark.django_db(transaction=True)
def test_no_clip_is_stored_without_what_became_of_its_file(bring, monkeypatch):
    run = bring(SIX)
    running.start(run, NOW)
    record, calls = running._Adder.record, []

    def ends_first(adder, outcomes):
        calls.append(outcomes)
        if len(calls) == 1:
            raise SystemExit
        record(adder, outcomes)

    monkeypatch.setattr(running._Adder, "record", ends_first)
    with pytest.raises(SystemExit):
        run_to_the_end(run)
    assert not Clip.objects.exists()
    assert run_to_the_end(run) == {"waiting": 0, "added": 6, "held": 0, "refused": 0}


@pytest.mark.parametrize("at", ["record", "discard_read", "plan", "_finish"])
def test_wherever_it_ends_it_goes_on(bring, own_home, monkeypatch, at):
    run = bring(SIX | {"bad.wav": b"nothing"})
    running.start(run, NOW)
    where = {
        "record": running._Adder,
        "discard_read": running.parts,
        "plan": running.planning,
        "_finish": running,
    }[at]
    act, calls = getattr(where, at), []

    def ends(*arguments):
        calls.append(at)
        done = act(*arguments)
        if len(calls) % 2:
            raise SystemExit
        return done

    with monkeypatch.context() as patch:
        patch.setattr(where, at, ends)
        with pytest.raises(SystemExit):
            run_to_the_end(run)
    assert run_to_the_end(run) == {"waiting": 0, "added": 6, "held": 0, "refused": 1}
    assert Clip.objects.count() == 6 and not uploads(own_home) and not ImportPart.objects.exists()


def test_a_file_that_breaks_the_worker_is_refused_and_stops_no_other(bring, monkeypatch):
    read = intake.read

    def breaks(data):
        if data == SIX["2.wav"]:
            raise ValueError("a fault of the decoder")
        return read(data)

    monkeypatch.setattr(clip_imports.intake, "read", breaks)
    run = bring(SIX)
    assert start(run) == {"waiting": 0, "added": 5, "held": 0, "refused": 1}
    assert [each.why.code for each in report.refused(run)] == ["sent-unexpected"]


def test_an_import_is_an_event_with_counts_and_no_name(bring, olga):
    start(bring(SIX))
    event = AuditEvent.objects.get(act=audit.Act.IMPORTED)
    assert event.person == olga and event.details == {
        "clips": {"waiting": 0, "added": 6, "held": 0, "refused": 0}
    }
    assert COLLECTION not in json.dumps([event.about, event.details])


@mutant(
    "nothing of a cancelled import waits any more",
    "datasets/imports/ending.py",
    kept_by="        raise ImportRefused(BringingRefusal.NOTHING_TO_CANCEL)\n    clear(run)",
    broken="        raise ImportRefused(BringingRefusal.NOTHING_TO_CANCEL)",
)
def test_a_cancelled_import_keeps_nothing_that_waits(bring, own_home):
    run = bring(SIX)
    running.start(run, NOW)
    turns = iter([True] * 3)
    running.proceed(lambda: NOW, lambda: next(turns, False))
    added = Clip.objects.count()
    assert 0 < added < 6
    ending.cancel(run, NOW)
    assert not uploads(own_home) and not ImportFile.objects.exists()
    assert run_to_the_end(run)["added"] == Clip.objects.count() == added
    with pytest.raises(ImportRefused, match="nothing-to-cancel"):
        ending.cancel(run, NOW)


def test_a_worker_that_meets_the_end_of_its_import_adds_nothing_more(bring, monkeypatch, own_home):
    run = bring(SIX)
    running.start(run, NOW)
    read = running._whole

    def cancelled_meanwhile(*arguments):
        if run.state == "running" and Clip.objects.count() == 2:
            ending.cancel(run, NOW)
        return read(*arguments)

    monkeypatch.setattr(running, "_whole", cancelled_meanwhile)
    run_to_the_end(run)
    assert Clip.objects.count() == 2 and run.state == "cancelled" and not uploads(own_home)


@mutant(
    "an import that nobody went on with is deleted",
    "datasets/imports/ending.py",
    kept_by="    for run in old:\n        cancel_unreadable(run, now)",
    broken="    for run in old:",
)
def test_what_nobody_went_on_with_goes_after_days(bring, own_home, settings):
    run = bring(SIX)
    ending.sweep(NOW + timedelta(days=settings.IMPORT_DAYS - 1))
    assert len(uploads(own_home)) == 6
    ending.sweep(NOW + timedelta(days=settings.IMPORT_DAYS, hours=1))
    run.refresh_from_db()
    assert run.state == "cancelled" and not uploads(own_home) and not ImportFile.objects.exists()


@mutant(
    "names of refused files are kept for 30 days only",
    "datasets/imports/ending.py",
    kept_by="        delete_files(run.files.all())\n    parts.destroy_orphans",
    broken="        pass\n    parts.destroy_orphans",
)
def test_names_of_refused_files_go_after_a_month(bring):
    run = bring({"bad.wav": b"nothing", "a.wav": sound(1)})
    start(run)
    ending.sweep(run.ended_at + timedelta(days=29) if run.ended_at else NOW)
    run.refresh_from_db()
    assert [each.name for each in report.refused(run)] == ["bad.wav"]
    ending.sweep(timezone.now() + timedelta(days=31))
    assert not list(report.refused(run))


def test_bytes_of_a_request_that_was_killed_go_after_an_hour(bring, own_home):
    run = bring(SIX)
    stray = own_home / "uploads" / "ab" / "cd" / "stray"
    stray.parent.mkdir(parents=True)
    stray.write_bytes(b"sealed")
    ending.sweep(NOW)
    assert stray.exists()
    ending.parts.destroy_orphans(timezone.now() + timedelta(hours=1))
    assert not stray.exists() and len(uploads(own_home)) == 6 and run.files.count() == 6


@mutant(
    "undoing an import takes all that it added",
    "tagger/imports/withdrawing.py",
    kept_by="    while some := list(",
    broken="    if some := list(",
)
@pytest.mark.django_db(transaction=True)
def test_an_import_is_undone_whole_and_nothing_else(bring, olga, own_home, juniper):
    lines = ["path,speaker", *(f"{number}.wav,{'ann' if number % 2 else 'bob'}" for number in range(6))]
    table = "\n".join(lines)
    start(bring({name: SIX[name] for name in ("0.wav", "1.wav")} | {"t.csv": "\n".join(lines[:3]).encode()}))
    first = set(Clip.objects.values_list("pk", flat=True))
    run = bring(SIX | {"t.csv": table.encode()})
    assert start(run) == {"waiting": 0, "added": 4, "held": 2, "refused": 0}
    undoing.undo(run, olga, NOW)
    withdrawing.undo_all(timezone.now)
    assert set(Clip.objects.filter(withdrawal=None).values_list("pk", flat=True)) == first
    scrubbed()
    assert set(Clip.objects.values_list("pk", flat=True)) == first
    run.refresh_from_db()
    assert run.state == "undone" and AuditEvent.objects.filter(act="undid-import", person=olga).count() == 1
    with pytest.raises(ImportRefused, match="nothing-to-undo"):
        undoing.undo(run, olga, NOW)
    assert start(bring(SIX | {"t.csv": table.encode()}))["added"] == 4  # it may be brought again


def test_undoing_stops_an_import_that_still_runs(bring, olga):
    run = bring(SIX)
    running.start(run, NOW)
    undoing.undo(run, olga, NOW)
    assert not running.proceed(timezone.now, lambda: True) and not Clip.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_released_clips_of_an_undone_import_are_recalled(bring, olga, juniper):
    from datasets.releases import freezing  # noqa: PLC0415

    run = bring(SIX)
    start(run)
    Task.objects.update(status="settled", plain_answer="yes", confidence=1.0, settled_at=NOW)
    freezing.freeze("first", [juniper], NOW)
    undoing.undo(run, olga, NOW)
    withdrawing.undo_all(timezone.now)
    scrubbed()
    assert Recall.objects.count() == 6


@mutant(
    "no owner withdraws people whom others brought elsewhere",
    "tagger/imports/withdrawing.py",
    kept_by=", among=User.objects.filter(here))",
    broken=")",
)
@pytest.mark.django_db(transaction=True)
def test_a_person_or_a_collection_is_withdrawn(bring, juniper, sentences, olga):
    table = "path,speaker\n" + "".join(f"{number}.wav,p{number}\n" for number in range(4))
    start(bring(SIX | {"t.csv": table.encode()}))
    assert not withdrawing.withdraw_people(sentences, COLLECTION, None, olga, NOW)
    assert not withdrawing.withdraw_people(juniper, "another", "p1", olga, NOW)
    [one] = withdrawing.withdraw_people(juniper, COLLECTION, "p1", olga, NOW)
    assert one.speaker == "p1" and one.token
    done = withdrawing.withdraw_people(juniper, COLLECTION, None, olga, NOW)
    assert sorted((each.speaker, bool(each.token)) for each in done) == [
        ("p0", True),
        ("p1", False),
        ("p2", True),
        ("p3", True),
    ]
    assert AuditEvent.objects.filter(act="withdrew-import", person=olga).count() == 2
    assert not Clip.objects.filter(withdrawal=None).exists()


@mutant(
    "an import ends with the account of its owner",
    "tagger/privacy/withdrawal.py",
    kept_by="        imports.forget(person, clock())\n",
    broken="",
)
@pytest.mark.django_db(transaction=True)
def test_when_its_owner_leaves_nothing_waits_and_clips_stay(bring, olga, own_home):
    start(bring({"a.wav": sound(9), "bad.wav": b"nothing"}))
    run = bring(SIX)
    erasure.erase_account(olga, False, NOW)
    scrubbed()
    run.refresh_from_db()
    assert run.state == "cancelled" and not uploads(own_home) and not ImportFile.objects.exists()
    assert set(Import.objects.values_list("owner", flat=True)) == {None}
    assert Clip.objects.filter(withdrawal=None).count() == 1
    with pytest.raises(ImportRefused, match="key-gone"):
        gathering.make(run.campaign, olga, "a", "b", NOW, licence="MIT")


@mutant(
    "an import's key is moved to its owner's new data key",
    "tagger/privacy/withdrawal.py",
    kept_by="        sealing.reseal(person, old, new)\n",
    broken="",
)
@pytest.mark.django_db(transaction=True)
def test_an_import_survives_a_new_key_of_its_owner_and_a_key_rotation(bring, olga):
    run = bring(SIX)
    erasure.erase_contributor(olga, NOW)
    scrubbed()
    assert sealing.about(sealing.key_of(Import.objects.get(pk=run.pk)), run)["collection"] == COLLECTION
    key_rotation.begin()
    key_rotation.put_in_use()
    while key_rotation.rewrap():
        pass
    assert start(Import.objects.get(pk=run.pk))["added"] == 6


def test_imports_take_turns(bring):
    one, two = bring(SIX), bring({f"other {name}": sound(20 + number) for number, name in enumerate(SIX)})
    for run in (one, two):
        running.start(run, NOW)
    clock = iter(NOW + timedelta(seconds=number) for number in range(1, 100))
    for _ in range(2):
        turns = iter([True] * 3)
        running.proceed(lambda: next(clock), lambda turns=turns: next(turns, False))
    assert one.clips.count() and two.clips.count()


def test_one_import_at_a_time(bring, in_background):
    """The lock is the database's, so a worker on another machine waits, too."""
    run = bring(SIX)
    running.start(run, NOW)
    with running.alone(running.IMPORT_LOCK) as is_mine:
        assert is_mine
        found = in_background(lambda: running.proceed(timezone.now, lambda: True))
        assert found.result() is False
    assert not Clip.objects.exists()

"""Erasure: immediate for every read, soon in every store, even if the scrub is killed at any point."""

import signal
from itertools import permutations
from pathlib import Path

import pytest
from allauth.account.models import EmailAddress
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.files.storage import storages
from django.db import transaction

from accounts import ciphers, consent, devices, signing
from accounts.models import DataKey, Device, Material, PersonalSession, ProgramToken, Purpose, User
from datasets.clips import vault
from datasets.models import Annotation, Clip, Recall, ReleaseRow, Task, Withdrawal
from datasets.releases import freezing, frozen
from tagger.lending import assignments
from tagger.lending.refusals import AnswerRefusal
from tagger.models import Assignment, Report
from tagger.privacy import tasks, withdrawal
from tagger.review import queue
from tagger.settling import settlement
from tests.conftest import NOW
from tests.support.mutants import mutant
from tests.support.refused import refused
from tests.support.reviewing import dismiss
from tests.support.stored import files

ROOT = Path(__file__).resolve().parents[2]


def scrub_all():
    for pk in withdrawal.unfinished():
        withdrawal.scrub(Withdrawal.objects.get(pk=pk), lambda: NOW)


@pytest.fixture
def used(alice, volunteers, juniper, sentences, share):
    """The tasks of two of Alice's clips, which were answered, settled and released."""
    tasks = [share(juniper), share(sentences)]
    for person in volunteers[:2]:
        for campaign, answer in ((juniper, "yes"), (sentences, "what alice said")):
            [lent] = assignments.lend(person, campaign, 1, NOW)
            assignments.hand_in(person, lent.pk, answer, NOW)
            settlement.settle(lent.task_id, NOW)
    freezing.freeze("first", [juniper, sentences], NOW)
    return tasks


@pytest.fixture
def others(sam, juniper, share):
    """The task of another person's clip, which no erasure may touch."""
    consent.give(sam, "wake-word", Material.WAKE_WORD.purposes, NOW, reference="on paper")
    return share(juniper, contributor=sam)


def untouched(task):
    task = Task.objects.get(pk=task.pk)
    return len(vault.get(task.clip)) > 44


def ids_of(release):
    return list(release.rows.values_list("public_id", flat=True))


def test_nothing_is_served_from_the_next_read_on(alice, used, carl, juniper):
    withdrawal.forget_contributor(alice, NOW)
    assert not Clip.objects.live_for(Purpose.VOLUNTEERS).exists()
    release = used[0].release_rows.get().release
    assert {row.text.strip() for row in frozen.rows(release)} == {""}
    assert not any(sound.may_be_sent for sound in frozen.sounds(release, ids_of(release)))
    lent = carl.assignments.filter(task=used[0]).get()
    with refused(AnswerRefusal.CLIP_GONE):
        assignments.playable(carl, lent.pk, NOW)


def test_one_deleted_clip_is_no_longer_served_and_the_others_are(alice, used):
    withdrawal.forget_clips(alice, [used[0].clip_id], NOW)
    assert list(Clip.objects.live_for(Purpose.VOLUNTEERS)) == [used[1].clip]


def test_a_reopened_page_does_not_offer_a_clip_that_is_being_erased(alice, carl, juniper, share):
    going, staying = share(juniper), share(juniper)
    assert len(assignments.lend(carl, juniper, 2, NOW)) == 2
    withdrawal.forget_clips(alice, [going.clip_id], NOW)
    assert [lease.task for lease in assignments.playable_leases(carl, juniper, NOW)] == [staying]


def test_no_one_erases_another_persons_clips(alice, bea, used):
    withdrawal.forget_clips(bea, [task.clip_id for task in used], NOW)
    scrub_all()
    assert Clip.objects.count() == 2


def test_the_scrub_leaves_no_file_and_no_row_of_the_person(alice, used, others, own_home):
    withdrawal.forget_contributor(alice, NOW)
    scrub_all()
    assert [clip.contributor for clip in Clip.objects.all()] == [others.clip.contributor]
    assert len(files(own_home)) == 1 and untouched(others)
    for model in (Annotation, ReleaseRow):
        assert not model.objects.exists()
    assert Task.objects.get() == others


def test_released_clips_are_recalled(alice, used):
    ids = set(ReleaseRow.objects.values_list("public_id", flat=True))
    withdrawal.forget_contributor(alice, NOW)
    scrub_all()
    assert set(Recall.objects.values_list("public_id", flat=True)) == ids


def test_remaining_clips_open_under_a_new_key_and_not_under_the_old_one(alice, used):
    kept = used[1].clip
    old = alice.data_key.open()
    withdrawal.forget_clips(alice, [used[0].clip_id], NOW)
    scrub_all()
    row = DataKey.objects.get(person=alice)
    assert row.generation == 2 and row.open() != old
    kept = Clip.objects.get(pk=kept.pk)
    assert vault.get(kept)[:4] == b"RIFF" and Task.objects.get(clip=kept).answer == "what alice said"
    assert User.objects.get(pk=alice.pk).pseudonym == "alice"
    with pytest.raises(ciphers.KeyLost):
        ciphers.unseal(old, bytes(kept.wrapped_key), kept.key_label())


def test_leaving_erases_log_ins_names_and_lines_of_the_admins_log(alice, client, used):
    client.force_login(alice)
    ProgramToken.objects.create(alice)
    LogEntry.objects.create(
        user=alice,
        content_type=ContentType.objects.get_for_model(User),
        object_id=str(alice.pk),
        object_repr=str(alice),
        action_flag=CHANGE,
    )
    withdrawal.forget_account(alice, keep_answers=True, now=NOW)
    assert client.get("/profile/").status_code == 302  # even before the scrub
    scrub_all()
    left = User.objects.get(pk=alice.pk)
    assert (left.is_active, left.roles, left.pseudonym, left.address) == (False, [], "", "")
    assert left.username.startswith("gone-") and not left.has_usable_password()
    for model in (ProgramToken, LogEntry, PersonalSession):
        assert not model.objects.exists()
    assert not DataKey.objects.filter(person=alice).exists()


@mutant(
    "the reports of a person who left, and what became of them, are erased",
    "tagger/privacy/withdrawal.py",
    kept_by='_count(request, gone | {"reports": person.reports.all().delete()[0]})',
    broken="_count(request, gone)",
)
@pytest.mark.parametrize("keep_answers", [True, False])
def test_the_reports_of_a_person_who_left_are_erased_and_the_clip_stays_hidden(
    bea, carl, rita, used, keep_answers
):
    hidden, shown_again = used
    for task in used:
        assignments.report_example(bea, task, "private", NOW)
    assignments.report_example(carl, hidden, "audio", NOW)
    dismiss(shown_again.clip, rita, NOW)
    requested = withdrawal.forget_account(bea, keep_answers, NOW)
    scrub_all()
    assert [report.reporter for report in Report.objects.all()] == [carl]
    assert withdrawal.receipt(requested.token)["erased"]["reports"] == 2
    assert [item.clip_id for item in queue.open_to(rita)] == [hidden.clip_id]
    assignments.report_example(bea, shown_again, "private", NOW)  # a request that was under way
    assert Report.objects.count() == 1


def test_the_reports_of_a_clip_go_with_it(alice, bea, used):
    for task in used:
        assignments.report_example(bea, task, "private", NOW)
    withdrawal.forget_clips(alice, [used[0].clip_id], NOW)
    scrub_all()
    assert [report.clip_id for report in Report.objects.all()] == [used[1].clip_id]


def test_people_who_leave_may_let_their_answers_count_without_them(bea, used):
    withdrawal.forget_account(bea, keep_answers=True, now=NOW)
    scrub_all()
    assert [task.annotations.count() for task in used] == [2, 2]


def test_removed_answers_no_longer_count(bea, used):
    withdrawal.forget_account(bea, keep_answers=False, now=NOW)
    scrub_all()
    for task in used:
        settlement.settle(task.pk, NOW)
        task.refresh_from_db()
        assert (task.annotation_count, task.annotations.count(), task.status) == (1, 1, "open")


def test_the_receipt_is_signed_when_the_erasure_is_finished_and_counts_what_went(alice, used):
    token = withdrawal.forget_contributor(alice, NOW).token
    assert "signature" not in withdrawal.receipt(token)
    scrub_all()
    receipt = withdrawal.receipt(token)
    signing.verify(receipt)
    assert receipt["erased"] == {
        "clips": 2,
        "files": 2,
        "tasks": 2,
        "annotations": 4,
        "release_rows": 2,
        "line_splits": 1,
    }
    assert withdrawal.receipt("another token") is None


STEPS = [
    "recalls.recall",
    "vault.destroy",
    "_count",
    "_replace_key",
    "key_copy.replace",
    "_scrub_person",
    "outbox.clear",
]

# Runs in another process, which kills itself before or after the step: no handler and no rollback can run.
SCRUB_UNTIL = """
import os, signal, sys
import django; django.setup()
from django.utils import timezone
from tagger.privacy import withdrawal
from datasets.models import Withdrawal
from django.db import connection
step, when, how = sys.argv[1:]
owner = getattr(withdrawal, step.split(".")[0]) if "." in step else withdrawal
name = step.split(".")[-1]
real = getattr(owner, name)
def killed(*args):
    if when == "after":
        real(*args)
    setattr(owner, name, real)
    if how == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
setattr(owner, name, killed)
withdrawal.scrub(Withdrawal.objects.get(), timezone.now)
"""


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize(("when", "how"), [("before", "kill"), ("after", "kill"), ("after", "disconnect")])
def test_a_scrub_that_fails_at_any_step_still_ends_at_zero(
    in_site, alice, used, others, own_home, step, when, how
):
    if step in ("_scrub_person", "outbox.clear"):
        withdrawal.forget_account(alice, keep_answers=False, now=NOW)
    else:
        withdrawal.forget_contributor(alice, NOW)
    done = in_site(SCRUB_UNTIL, step, when, how)
    assert done.returncode == (-signal.SIGKILL if how == "kill" else 1), done.stderr
    assert withdrawal.unfinished()
    scrub_all()
    request = Withdrawal.objects.get()
    assert (request.finished_at, request.counts["clips"], request.counts["annotations"]) == (NOW, 2, 4)
    assert Task.objects.get() == others and len(files(own_home)) == 1 and untouched(others)


# Each act in each place, and each directly after each other; with --thorough every order.
FEW = (
    ("opt out", "delete account", "delete clip", "remove device"),
    ("delete account", "remove device", "opt out", "delete clip"),
    ("remove device", "delete clip", "delete account", "opt out"),
    ("delete clip", "opt out", "remove device", "delete account"),
)
ORDERS = [
    pytest.param(order, marks=[] if order in FEW else pytest.mark.in_full) for order in permutations(FEW[0])
]


@pytest.mark.thorough
@pytest.mark.parametrize("order", ORDERS, ids=", ".join)
@pytest.mark.parametrize("scrubbed", ["after each", "at the end"])
def test_every_order_of_leaving_ends_in_the_same_empty_state(alice, used, own_home, order, scrubbed):
    device = Device(owner=alice, paired_in="2026-Q2")
    device.about = {"name": "kitchen"}
    device.save()
    acts = {
        "opt out": lambda: withdrawal.forget_contributor(alice, NOW),
        "delete account": lambda: withdrawal.forget_account(alice, False, NOW),
        "remove device": lambda: devices.revoke(Device(pk=device.pk, owner=alice), NOW.date()),
        "delete clip": lambda: withdrawal.forget_clips(alice, [used[0].clip_id], NOW),
    }
    for act in order:
        acts[act]()
        if scrubbed == "after each":
            scrub_all()
    scrub_all()
    assert (Clip.objects.count(), files(own_home), withdrawal.unfinished()) == (0, [], [])
    assert not consent.live_now(User.objects.get(pk=alice.pk))
    assert not DataKey.objects.filter(person=alice).exists()
    assert not Device.objects.exists() and not ReleaseRow.objects.exists()


def test_scrubbing_twice_changes_nothing(alice, used):
    withdrawal.forget_contributor(alice, NOW)
    request = Withdrawal.objects.get()
    withdrawal.scrub(request, lambda: NOW)
    once = Withdrawal.objects.get().counts
    withdrawal.scrub(request, lambda: NOW)
    assert Withdrawal.objects.get().counts == once


def test_the_vault_is_only_in_its_own_folder(alice, used, own_home):
    assert storages["vault"].path("") == str(own_home / "vault")


@mutant(
    "tasks lent to a person who left go back to others",
    "tagger/privacy/withdrawal.py",
    kept_by='        Task.objects.filter(pk__in=freed).update(lent_count=F("lent_count") - 1)\n',
    broken="",
)
def test_tasks_lent_to_a_person_who_leaves_go_back_to_others(alice, bea, juniper, share):
    task = share(juniper)
    assignments.lend(bea, juniper, 1, NOW)
    withdrawal.forget_account(bea, keep_answers=True, now=NOW)
    scrub_all()
    task.refresh_from_db()
    assert (task.lent_count, task.assignments.count()) == (0, 0)


@mutant(
    "no e-mail in the outbox folder outlives an account",
    "tagger/privacy/withdrawal.py",
    kept_by="        outbox.clear()\n",
    broken="",
)
def test_no_e_mail_is_left_in_the_outbox(alice, settings, tmp_path):
    settings.EMAIL_FILE_PATH = tmp_path / "mail"
    settings.EMAIL_FILE_PATH.mkdir()
    (settings.EMAIL_FILE_PATH / "1.log").write_text("To: alice@example.org")
    withdrawal.forget_account(alice, keep_answers=True, now=NOW)
    scrub_all()
    assert list(settings.EMAIL_FILE_PATH.iterdir()) == []


def test_no_table_keeps_an_address_in_plain(client, db, settings):
    fields = {"username": "nora", "email": "nora@example.org", "password1": "a long pass phrase"}
    client.post("/accounts/signup/", fields)
    assert not EmailAddress.objects.exists()
    assert User.objects.get_by_natural_key("nora").pk


@mutant(
    "an erasure that fails does not keep the others waiting",
    "tagger/privacy/tasks.py",
    kept_by="        except Exception:  # one erasure",
    broken="        except KeyError:  # one erasure",
)
def test_an_erasure_that_fails_does_not_keep_the_others_waiting(alice, sam, used, others, monkeypatch):
    first = withdrawal.forget_contributor(alice, NOW)
    withdrawal.forget_contributor(sam, NOW)
    broken = Task.objects.filter(clip__withdrawal=first.withdrawal).first().clip.stored_as
    destroy = vault.destroy

    def stubborn(name):
        if name == broken:
            raise OSError("the disk does not answer")
        destroy(name)

    monkeypatch.setattr(vault, "destroy", stubborn)
    assert tasks.scrub_unfinished() == 2
    assert withdrawal.unfinished() == [first.withdrawal]
    monkeypatch.undo()
    tasks.scrub_unfinished()
    assert withdrawal.unfinished() == [] and not Clip.objects.exists()


def test_a_consent_reference_opens_after_a_clip_was_deleted_and_never_after_leaving(alice, used):
    withdrawal.forget_clips(alice, [used[0].clip_id], NOW)
    scrub_all()
    given = alice.consents.exclude(reference_hash="").select_related("contributor")
    assert {row.reference for row in given} == {"on paper"}
    withdrawal.forget_account(alice, False, NOW)
    scrub_all()
    with pytest.raises(DataKey.DoesNotExist):
        _ = given.all()[0].reference


def test_a_new_data_key_wraps_the_clips_in_few_queries(
    alice, juniper, add_tasks, django_assert_max_num_queries
):
    for task in add_tasks(juniper, 250):
        clip = task.clip
        clip.wrap(b"k" * 32, alice.data_key.open())
        clip.save()
    withdrawal.forget_clips(alice, [alice.clips.first().pk], NOW)
    with django_assert_max_num_queries(125):  # half of one per clip
        scrub_all()
    assert {clip.key for clip in alice.clips.select_related("contributor__data_key")} == {b"k" * 32}


@mutant(
    "people who are leaving are lent nothing",
    "tagger/lending/assignments.py",
    kept_by="        if not _lock_annotator(annotator):\n",
    broken="        if _lock_annotator(annotator) is None:\n",
)
def test_people_who_are_leaving_are_lent_nothing(bea, juniper, add_tasks):
    """A request that was accepted earlier may get its turn only now."""
    add_tasks(juniper, 2)
    withdrawal.forget_account(bea, True, NOW)
    assert assignments.lend(bea, juniper, 1, NOW) == []
    scrub_all()
    assert [task.lent_count for task in Task.objects.all()] == [0, 0]


@mutant(
    "an answer handed in while its person leaves is removed with the others",
    "tagger/privacy/withdrawal.py",
    kept_by="        _return_lent_tasks(request, person)\n",
    broken="",
)
@pytest.mark.django_db(transaction=True)
def test_an_answer_handed_in_while_its_person_leaves_is_removed_with_the_others(
    bea, juniper, add_tasks, in_background
):
    add_tasks(juniper, 2)
    first, second = assignments.lend(bea, juniper, 2, NOW)
    withdrawal.forget_account(bea, False, NOW)
    with transaction.atomic():  # the request holds the lock, so the scrub must wait
        assignments.hand_in(bea, first.pk, "yes", NOW)
        scrub = in_background(scrub_all)
    scrub.result(timeout=30)
    assert not bea.annotations.exists()
    assert [(task.annotation_count, task.lent_count) for task in Task.objects.all()] == [(0, 0), (0, 0)]
    with pytest.raises(Assignment.DoesNotExist):
        assignments.hand_in(bea, second.pk, "yes", NOW)

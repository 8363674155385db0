"""The record of who looked, decided and exported: nobody can change it unseen, and it forgets people."""

import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command

from accounts import audit
from accounts.models import AuditEvent, User
from datasets.models import Withdrawal
from datasets.releases import frozen
from tagger.privacy import reconciler, tasks, withdrawal
from tagger.review import disputes, reports
from tests.conftest import NOW
from tests.support.mutants import mutant

pytestmark = pytest.mark.django_db


@pytest.fixture
def events(rita, alice):
    acts = [audit.Act.HEARD, audit.Act.DECIDED, audit.Act.EXPORTED]
    people = [rita, alice, None]
    return [audit.record(act, "clip 7", person, NOW) for act, person in zip(acts, people, strict=True)]


def test_each_event_names_the_one_before_it(events):
    assert [event.number for event in events] == [1, 2, 3]
    assert len({event.sha256 for event in events}) == 3
    assert audit.broken_at() is None
    assert audit.head() == events[-1]


@pytest.mark.parametrize(
    "change",
    [{"act": "dismissed"}, {"about": "clip 8"}, {"at": NOW + timedelta(1)}, {"who_sha256": "0" * 64}],
)
def test_a_changed_event_is_noticed(events, change):
    AuditEvent.objects.filter(number=2).update(**change)
    assert audit.broken_at() == 2


@mutant(
    "the record of who looked and decided cannot be changed unseen",
    "accounts/audit.py",
    kept_by='        "before": before,\n',
    broken="",
)
def test_an_event_that_was_changed_with_its_own_hash_is_noticed_by_the_next(events):
    changed = events[1]
    changed.about = "clip 8"
    changed.sha256 = audit._sha256(changed, events[0].sha256)
    changed.save()
    assert audit.broken_at() == 3


def test_somebody_else_put_in_the_place_of_who_it_was_is_noticed(events, bea):
    AuditEvent.objects.filter(number=1).update(person=bea)
    assert audit.broken_at() == 1


def test_a_removed_event_is_noticed(events):
    AuditEvent.objects.filter(number=2).delete()
    assert audit.broken_at() == 2


def test_a_chain_that_was_calculated_anew_does_not_hold_the_head_that_somebody_noted(events):
    noted = audit.as_dict(events[-1])
    AuditEvent.objects.all().delete()
    for _ in events:
        audit.record(audit.Act.HEARD, "clip 7", None, NOW)
    assert audit.broken_at() is None
    with pytest.raises(audit.ChainBroken, match="number=3"):
        audit.check_event(noted["number"], noted["sha256"])


def test_forgetting_a_person_leaves_the_chain_whole_and_leads_to_nobody(events, rita):
    assert audit.forget(rita) == 1
    first = AuditEvent.objects.get(number=1)
    assert (first.person, bytes(first.salt)) == (None, b"")
    assert audit.broken_at() is None


def test_two_events_of_one_person_cannot_be_told_to_be_one_persons(rita):
    events = [audit.record(audit.Act.HEARD, "clip 7", rita, NOW) for _ in range(2)]
    assert events[0].who_sha256 != events[1].who_sha256


@mutant(
    "events at the same moment follow one another",
    "accounts/audit.py",
    kept_by='        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [AUDIT_LOCK])\n',
    broken="        pass\n",
)
@pytest.mark.django_db(transaction=True)
def test_events_at_the_same_moment_follow_one_another(run_together, db):
    run_together(*[lambda: audit.record(audit.Act.EXPORTED, "release spring", None, NOW)] * 8)
    assert list(AuditEvent.objects.order_by("number").values_list("number", flat=True)) == list(range(1, 9))
    assert audit.broken_at() is None


@pytest.fixture
def reported(juniper, share):
    clip = share(juniper).clip
    clip.hidden_at = NOW
    clip.save()
    return clip


@mutant(
    "a reviewer who hears a clip is on record",
    "tagger/review/views.py",
    kept_by='    audit.record_hearing(f"clip {clip.pk}", request.user, timezone.now())\n',
    broken="",
)
def test_a_reviewer_who_hears_a_clip_is_on_record_once(reported, rita, client):
    client.force_login(rita)
    for _ in range(3):
        assert client.get(f"/review/clips/{reported.pk}/audio/").status_code == 200
    heard = AuditEvent.objects.get()
    assert (heard.act, heard.about, heard.person) == ("heard", f"clip {reported.pk}", rita)


def test_who_may_not_hear_it_is_not_on_record(reported, bea, client):
    client.force_login(bea)
    assert client.get(f"/review/clips/{reported.pk}/audio/").status_code == 403
    assert not AuditEvent.objects.exists()


def test_a_dismissed_report_is_on_record(reported, rita):
    reports.dismiss(reported, rita, NOW)
    assert AuditEvent.objects.get().act == "dismissed"


def test_a_decision_is_on_record(juniper, share, rita):
    task = share(juniper)
    disputes.Dispute.objects.create(task=task, opened_at=NOW)
    disputes.decide(task.dispute, rita, "no", NOW)
    assert AuditEvent.objects.get().act == "decided"


def test_a_change_of_roles_is_on_record(admin_client, admin_user, bea):
    sent = {"roles": ["reviewer"], "is_active": "on"}
    assert admin_client.post(f"/admin/accounts/user/{bea.pk}/change/", sent).status_code == 302
    changed = AuditEvent.objects.get()
    assert (changed.act, changed.about, changed.person) == ("set-roles", f"person {bea.pk}", admin_user)


def left(person):
    asked = withdrawal.forget_account(person, False, NOW)
    tasks.scrub(asked.withdrawal)
    return asked


@mutant(
    "who leaves is erased from the record",
    "tagger/privacy/withdrawal.py",
    kept_by='            "audit_names": audit.forget(person),\n',
    broken="",
)
def test_who_leaves_is_erased_from_the_record(events, rita):
    left(rita)
    assert not AuditEvent.objects.filter(person=rita).exists()
    assert Withdrawal.objects.get().counts["audit_names"] == 1
    assert audit.broken_at() is None


def test_the_receipt_of_an_erasure_bears_the_head_of_the_chain_of_its_moment(events, rita):
    told = withdrawal.receipt(left(rita).token)["audit"]
    event = AuditEvent.objects.get(act="erased")
    assert told == {"number": 4, "sha256": event.sha256} and event.about.startswith("withdrawal ")


def test_an_erasure_ends_once_also_when_its_end_is_done_again(rita):
    asked = left(rita)
    withdrawal.scrub(Withdrawal.objects.get(pk=asked.withdrawal), lambda: NOW)
    assert AuditEvent.objects.filter(act="erased").count() == 1


def checked(client, document):
    return client.post("/receipts/", {"receipt": json.dumps(document)}).content.decode()


@mutant(
    "a receipt is held against the record, not its signature alone",
    "accounts/receipts.py",
    kept_by='        audit.check_event(event["number"], event["sha256"])\n',
    broken="        pass\n",
)
def test_a_receipt_no_longer_verifies_when_the_record_before_it_was_rewritten(events, rita, client):
    receipt = withdrawal.receipt(left(rita).token)
    assert "it has not been changed" in checked(client, receipt)
    AuditEvent.objects.filter(number=4).update(sha256="0" * 64)
    assert "Event 4" in checked(client, receipt)


def test_the_command_says_whether_the_record_is_whole(events, capsys):
    call_command("verify_audit")
    assert f"3 events, each following from those before. Head: {events[-1].sha256}" in capsys.readouterr().out
    AuditEvent.objects.filter(number=2).update(about="clip 9")
    with pytest.raises(CommandError, match="event 2"):
        call_command("verify_audit")


def test_the_head_stands_on_the_public_ledger_as_of_the_last_look(events, client):
    reconciler.reconcile(NOW)
    audit.record(audit.Act.HEARD, "clip 7", None, NOW + timedelta(minutes=1))
    page = client.get("/ledger/").content.decode()
    assert events[-1].sha256 in page and audit.head().sha256 not in page


def test_a_release_and_its_export_are_on_record(juniper, share, tmp_path):
    task = share(juniper)
    type(task).objects.filter(pk=task.pk).update(status="settled", plain_answer="yes", confidence=1.0)
    frozen.freeze("spring", [juniper], NOW)
    call_command("export", "spring", "--format", "precise", "--to", str(tmp_path / "out"))
    told = list(AuditEvent.objects.order_by("number").values_list("act", "about", "person"))
    assert told == [("released", "release spring", None), ("exported", "release spring", None)]


def test_nobody_s_name_is_in_the_record(events):
    names = {person.pseudonym for person in User.objects.all()}
    stored = json.dumps([list(map(str, row)) for row in AuditEvent.objects.values_list()])
    assert not [name for name in names if name in stored]

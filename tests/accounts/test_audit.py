"""The audit record: no one can change it unnoticed, and people can be erased from it."""

import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command

from accounts import audit
from accounts.models import AuditEvent, User
from datasets.models import Withdrawal
from datasets.releases import freezing
from tagger.models import Report, ReviewItem
from tagger.privacy import reconciler, tasks, withdrawal
from tagger.review import acts
from tests.conftest import NOW
from tests.support.mutants import mutant
from tests.support.reviewing import dispute_over, item_of, page_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def events(rita, alice):
    acts = [audit.Act.HEARD, audit.Act.DECIDED, audit.Act.EXPORTED]
    people = [rita, alice, None]
    return [audit.record(act, "clip 7", person, NOW) for act, person in zip(acts, people, strict=True)]


def test_each_event_follows_from_the_one_before_it(events):
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
    "the audit record cannot be changed unnoticed",
    "accounts/audit.py",
    kept_by='        "before": before,\n',
    broken="",
)
def test_an_event_changed_together_with_its_hash_is_noticed_at_the_next_event(events):
    changed = events[1]
    changed.about = "clip 8"
    changed.sha256 = audit._sha256(changed, events[0].sha256)
    changed.save()
    assert audit.broken_at() == 3


def test_another_person_put_into_an_event_is_noticed(events, bea):
    AuditEvent.objects.filter(number=1).update(person=bea)
    assert audit.broken_at() == 1


def test_a_removed_event_is_noticed(events):
    AuditEvent.objects.filter(number=2).delete()
    assert audit.broken_at() == 2


def test_a_recomputed_chain_does_not_match_a_head_that_was_noted_before(events):
    noted = audit.as_dict(events[-1])
    AuditEvent.objects.all().delete()
    for _ in events:
        audit.record(audit.Act.HEARD, "clip 7", None, NOW)
    assert audit.broken_at() is None
    with pytest.raises(audit.ChainBroken, match="number=3"):
        audit.check_event(noted["number"], noted["sha256"])


def test_erasing_a_person_leaves_the_chain_valid_and_leads_to_no_one(events, rita):
    assert audit.forget(rita) == 1
    first = AuditEvent.objects.get(number=1)
    assert (first.person, bytes(first.salt)) == (None, b"")
    assert audit.broken_at() is None


def test_two_events_of_one_person_cannot_be_linked(rita):
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
    ReviewItem.objects.open_report(clip, Report(reason="private", campaign=juniper), NOW)
    return clip


@mutant(
    "a reviewer who hears a clip is recorded",
    "tagger/review/sounds.py",
    kept_by='    audit.record_hearing(f"clip {item.clip_id}", request.user, timezone.now())\n',
    broken="",
)
def test_a_reviewer_who_hears_a_clip_is_recorded_once(reported, rita, client):
    client.force_login(rita)
    for _ in range(3):
        assert client.get(page_of(item_of(reported)) + "audio/").status_code == 200
    heard = AuditEvent.objects.get()
    assert (heard.act, heard.about, heard.person) == ("heard", f"clip {reported.pk}", rita)


def test_a_person_who_may_not_hear_it_is_not_recorded(reported, bea, client):
    client.force_login(bea)
    assert client.get(page_of(item_of(reported)) + "audio/").status_code == 403
    assert not AuditEvent.objects.exists()


def test_a_dismissed_report_is_recorded(reported, rita):
    acts.dismiss(item_of(reported), rita, NOW)
    assert AuditEvent.objects.get().act == "dismissed"


def test_a_decision_is_recorded(juniper, share, rita):
    task = share(juniper)
    acts.accept(dispute_over(task, NOW), rita, "no", NOW)
    assert AuditEvent.objects.get().act == "decided"


def test_a_change_of_roles_is_recorded(admin_client, admin_user, bea):
    sent = {"roles": ["reviewer"], "is_active": "on"}
    assert admin_client.post(f"/admin/accounts/user/{bea.pk}/change/", sent).status_code == 302
    changed = AuditEvent.objects.get()
    assert changed.details == {"roles_added": ["reviewer"], "roles_removed": ["annotator", "contributor"]}
    assert (changed.act, changed.about, changed.person) == ("set-roles", f"person {bea.pk}", admin_user)


def left(person):
    asked = withdrawal.forget_account(person, False, NOW)
    tasks.scrub(asked.withdrawal)
    return asked


@mutant(
    "people who leave are erased from the audit record",
    "tagger/privacy/withdrawal.py",
    kept_by='            "audit_names": audit.forget(person),\n',
    broken="",
)
def test_people_who_leave_are_erased_from_the_record(events, rita):
    left(rita)
    assert not AuditEvent.objects.filter(person=rita).exists()
    assert Withdrawal.objects.get().counts["audit_names"] == 1
    assert audit.broken_at() is None


def test_an_erasure_receipt_has_the_head_of_the_chain_at_that_moment(events, rita):
    head = withdrawal.receipt(left(rita).token)["audit"]
    event = AuditEvent.objects.get(act="erased")
    assert head == {"number": 4, "sha256": event.sha256} and event.about.startswith("withdrawal ")


def test_an_erasure_finishes_once_even_if_its_last_step_runs_again(rita):
    asked = left(rita)
    withdrawal.scrub(Withdrawal.objects.get(pk=asked.withdrawal), lambda: NOW)
    assert AuditEvent.objects.filter(act="erased").count() == 1


def checked(client, document):
    return client.post("/receipts/", {"receipt": json.dumps(document)}).content.decode()


@mutant(
    "a receipt is checked against the audit record, not only its signature",
    "accounts/receipts.py",
    kept_by='        audit.check_event(event["number"], event["sha256"])\n',
    broken="        pass\n",
)
def test_a_receipt_no_longer_verifies_when_the_record_before_it_was_rewritten(events, rita, client):
    receipt = withdrawal.receipt(left(rita).token)
    assert "it has not been changed" in checked(client, receipt)
    AuditEvent.objects.filter(number=4).update(sha256="0" * 64)
    assert "Event 4" in checked(client, receipt)


def test_the_command_says_whether_the_record_is_intact(events, capsys):
    call_command("verify_audit")
    assert f"3 events, each following from those before. Head: {events[-1].sha256}" in capsys.readouterr().out
    AuditEvent.objects.filter(number=2).update(about="clip 9")
    with pytest.raises(CommandError, match="event 2"):
        call_command("verify_audit")


def test_the_public_ledger_shows_the_head_as_of_the_last_check(events, client):
    reconciler.reconcile(NOW)
    audit.record(audit.Act.HEARD, "clip 7", None, NOW + timedelta(minutes=1))
    page = client.get("/ledger/").content.decode()
    assert events[-1].sha256 in page and audit.head().sha256 not in page


def test_a_release_and_its_export_are_recorded(juniper, share, tmp_path):
    task = share(juniper)
    type(task).objects.filter(pk=task.pk).update(status="settled", plain_answer="yes", confidence=1.0)
    freezing.freeze("spring", [juniper], NOW)
    call_command("export", "spring", "--format", "precise", "--to", str(tmp_path / "out"))
    events = list(AuditEvent.objects.order_by("number").values_list("act", "about", "person"))
    assert events == [("released", "release spring", None), ("exported", "release spring", None)]


def test_no_name_is_in_the_record(events):
    names = {person.pseudonym for person in User.objects.all()}
    stored = json.dumps([list(map(str, row)) for row in AuditEvent.objects.values_list()])
    assert not [name for name in names if name in stored]

"""The page of the audit record, and what is recorded besides hearings, decisions and releases."""

import hashlib
import json
import re
from datetime import timedelta
from time import time

import pytest
from django.contrib import admin
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import audit, failed_log_ins, reauthentication, signing, tasks
from accounts.admin import ShowsPeople
from accounts.models import AuditCheck, AuditEvent, FailedLogIns, User
from datasets import campaigns
from datasets.models import Campaign
from tagger.privacy import personal_data
from tests.conftest import NOW
from tests.support import sounds
from tests.support.mutants import mutant

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin_client(admin_client):
    """Just logged in, as by the log-in page."""
    session = admin_client.session
    session[reauthentication.LOGGED_IN_AT] = time()
    session.save()
    return admin_client


Act = audit.Act


def events(*acts):
    return AuditEvent.objects.filter(act__in=acts or Act.values).order_by("number")


# --- the chain ----------------------------------------------------------------------------------


def test_events_without_details_have_the_hash_that_they_always_had():
    event = audit.record(Act.HEARD, "clip 7", None, NOW)
    told = {"about": "clip 7", "act": "heard", "at": "2026-05-04T12:00:00+00:00", "before": "", "number": 1}
    assert event.sha256 == hashlib.sha256(signing.canonical_json(told | {"who": ""})).hexdigest()
    assert event.sha256.startswith("1b68c071")


@mutant(
    "the details of an event cannot be changed unnoticed",
    "accounts/audit.py",
    kept_by='    return covered | ({"details": event.details} if event.details else {})\n',
    broken="    return covered\n",
)
def test_changed_details_are_noticed():
    audit.record(Act.SET_ROLES, "person 7", None, NOW, {"roles_added": ["reviewer"], "share": 0.1})
    assert audit.broken_at() is None
    AuditEvent.objects.update(details={"roles_added": ["researcher"], "share": 0.1})
    assert audit.broken_at() == 1
    AuditEvent.objects.update(details={})
    assert audit.broken_at() == 1


def test_the_same_thing_within_minutes_is_one_event_and_another_one_is_not(bea, rita):
    for person, minutes in ((bea, 0), (bea, 9), (rita, 9), (None, 9), (None, 9), (bea, 11)):
        audit.record_once(Act.EXPORTED, "release spring", person, NOW + timedelta(minutes=minutes), {"a": 1})
    audit.record_once(Act.EXPORTED, "release spring", bea, NOW + timedelta(minutes=11), {"a": 2})
    assert [event.person for event in events()] == [bea, rita, None, bea, bea]


# --- the page -----------------------------------------------------------------------------------


@pytest.fixture
def many(bea, rita):
    """120 events of Bea, one hour apart, and one of Rita."""
    for hours in range(120):
        audit.record(Act.HEARD, f"clip {hours % 3}", bea, NOW + timedelta(hours=hours))
    audit.record(Act.DECIDED, "clip 7", rita, NOW)


def numbers(page):
    return list(map(int, re.findall(r"<li>\s*<p><strong>(\d+)</strong>", page.content.decode())))


def test_it_is_read_page_by_page_newest_first(many, admin_client):
    page = admin_client.get("/audit/")  # which is number 122
    assert numbers(page) == list(range(122, 72, -1))
    onward = re.search(r'href="\?(before=73)">Older', page.content.decode())[1]
    assert numbers(admin_client.get(f"/audit/?{onward}")) == list(range(72, 22, -1))
    last = admin_client.get("/audit/?before=23")
    assert numbers(last) == list(range(22, 0, -1)) and "Older" not in last.content.decode()


def test_its_filters_choose_by_what_who_about_and_when(many, admin_client, bea, rita):
    def shown(query):
        return numbers(admin_client.get(f"/audit/?{query}"))

    assert shown("act=decided") == [121]
    assert shown(f"person={rita.pk}") == [121]
    assert shown(f"person={bea.pk}&about=clip+1&until=2026-05-04") == [11, 8, 5, 2]
    assert shown("since=2026-05-09&until=2026-05-09&act=heard") == [*range(120, 108, -1)]
    invalid = admin_client.get("/audit/?act=nothing&person=x&since=yesterday")
    assert invalid.status_code == 200 and invalid.content.decode().count('class="errorlist"') == 3


def test_it_takes_as_many_statements_however_long_the_record_is(admin_client, rita):
    admin_client.get("/audit/")
    with CaptureQueriesContext(connection) as few:
        admin_client.get("/audit/")
    for clip in range(60):
        audit.record(Act.HEARD, f"clip {clip}", rita, NOW)
    with CaptureQueriesContext(connection) as more:
        admin_client.get("/audit/")
    assert len(few) == len(more)


def test_each_event_is_told_in_words_with_its_hash(admin_client, bea):
    audit.record(Act.SET_ROLES, "person 7", bea, NOW, {"roles_added": ["reviewer"]})
    event = audit.record(
        Act.CHANGED_CAMPAIGN, "campaign x", None, NOW, {"changed": {"confidence": [0.75, 0.9]}}
    )
    page = " ".join(admin_client.get("/audit/").content.decode().split())
    assert "changed a person&#x27;s roles: <bdi>person 7</bdi>" in page and "roles added: reviewer" in page
    assert "confidence: 0.75 → 0.9" in page and event.sha256 in page
    audit.forget(bea)
    assert "someone who left" in admin_client.get("/audit/").content.decode()


@mutant(
    "reading the audit record is recorded",
    "accounts/views_audit.py",
    kept_by="    audit.record_once(audit.Act.LOOKED, _RECORD, request.user, timezone.now())\n",
    broken="",
)
def test_reading_it_is_recorded_once(admin_client, admin_user):
    for _ in range(3):
        admin_client.get("/audit/")
    event = events().get()
    assert (event.act, event.about, event.person) == (Act.LOOKED, "audit record", admin_user)


def test_whoever_downloads_it_can_compute_the_chain_again(many, admin_client, rita):
    answer = admin_client.get("/audit/record.jsonl")
    lines = list(map(json.loads, b"".join(answer.streaming_content).splitlines()))
    assert [line["number"] for line in lines] == [*range(1, 123)]
    before = ""
    for line in lines:
        covered = {name: value for name, value in line.items() if name not in ("person", "sha256")}
        told = signing.canonical_json(covered | {"before": before})
        before = hashlib.sha256(told).hexdigest()
        assert line["sha256"] == before
    chosen = admin_client.get(f"/audit/record.jsonl?person={rita.pk}")
    assert len(b"".join(chosen.streaming_content).splitlines()) == 1
    assert [event.details for event in events(Act.EXPORTED_RECORD)] == [{}, {"person": str(rita.pk)}]


@mutant(
    "only those who run the site read the audit record",
    "accounts/roles.py",
    kept_by="        if not (request.user.is_superuser and admin.site.has_permission(request)):\n",
    broken="        if False:\n",
)
def test_no_one_else_reads_it(client, rita):
    User.objects.filter(pk=rita.pk).update(is_staff=True)
    client.force_login(rita)
    for address in ("/audit/", "/audit/record.jsonl"):
        assert client.get(address).status_code == 403
    assert client.post("/audit/check/").status_code == 403
    assert not events().exists()


def test_whoever_downloads_it_is_asked_for_their_password_first(admin_client):
    session = admin_client.session
    del session[reauthentication.LOGGED_IN_AT]
    session.save()
    answer = admin_client.get("/audit/record.jsonl")
    assert answer.status_code == 302 and "reauthenticate" in answer["Location"]
    assert not events().exists()


# --- checking the chain -------------------------------------------------------------------------


def test_a_worker_checks_it_and_the_page_shows_what_it_found(many, admin_client):
    assert "It has not been checked yet" in admin_client.get("/audit/").content.decode()
    assert not tasks.check_audit_record()
    with CaptureQueriesContext(connection) as asked:
        admin_client.post("/audit/check/")
    assert not [query for query in asked if "auditevent" in query["sql"]]  # the request reads no event
    assert "A check was requested" in admin_client.get("/audit/").content.decode()
    assert tasks.check_audit_record() and not tasks.check_audit_record()
    assert "All events up to 122 follow" in admin_client.get("/audit/").content.decode()
    AuditEvent.objects.filter(number=7).update(about="clip 8")
    admin_client.post("/audit/check/")
    tasks.check_audit_record()
    page = admin_client.get("/audit/").content.decode()
    assert "event 7 does not follow" in page and "All events" not in page


def test_what_is_asked_for_during_a_check_is_checked_again(monkeypatch):
    audit.ask_for_check(NOW)
    again = NOW + timedelta(minutes=1)
    monkeypatch.setattr(audit, "broken_at", lambda: audit.ask_for_check(again))
    audit.check_if_asked(timezone.now)
    found = AuditCheck.objects.get()
    assert (found.asked_at, found.finished_at) == (again, None)


# --- failed log-ins -----------------------------------------------------------------------------


def fail(client, name):
    return client.post("/accounts/login/", {"login": name, "password": "wrong"})


LATER = timedelta(minutes=11)


@mutant(
    "failed log-ins are recorded",
    "accounts/adapter.py",
    kept_by='        failed_log_ins.count(str(credentials.get("username", "")), timezone.now())\n',
    broken="        pass\n",
)
def test_failed_log_ins_under_one_name_are_one_event_with_their_number(client, bea):
    for name in ("bea", "BEA", "no-one"):
        fail(client, name)
    assert failed_log_ins.record(timezone.now()) == 0  # the ten minutes are not over
    assert tasks.record_failed_log_ins() == 0
    failed_log_ins.record(timezone.now() + LATER)
    assert sorted(event.details["count"] for event in events()) == [1, 2]
    assert not FailedLogIns.objects.exists()
    assert audit.broken_at() is None


@mutant(
    "a failed log-in does not tell the name",
    "accounts/failed_log_ins.py",
    kept_by='    return hmac.new(secret, names.looked_up(name).encode(), "sha256").hexdigest()\n',
    broken="    return name\n",
)
def test_a_failed_log_in_names_no_one_and_tomorrow_another(client, settings):
    for day in range(2):
        failed_log_ins.count("boris", NOW + timedelta(days=day))  # no hash has such letters
    first, second = FailedLogIns.objects.order_by("since").values_list("name_hash", flat=True)
    assert first != second and "boris" not in first + second and len(first) == 64
    failed_log_ins.record(NOW + timedelta(days=3))
    assert {event.person for event in events()} == {None}
    assert not [event for event in events() if "bea" in event.about + json.dumps(event.details)]


@mutant(
    "a stranger who tries many names cannot flood the record",
    "accounts/failed_log_ins.py",
    kept_by='        name_hash = ""\n',
    broken="        pass\n",
)
def test_many_names_are_a_bounded_number_of_events():
    for number in range(failed_log_ins.MOST_NAMES + 30):
        failed_log_ins.count(f"name {number}", NOW)
    failed_log_ins.count("name 1", NOW)
    assert failed_log_ins.record(NOW + LATER) == failed_log_ins.MOST_NAMES + 1
    counts = [event.details["count"] for event in events()]
    assert max(counts) == 30 and counts.count(2) == 1
    assert events().filter(about="other names").count() == 1


@pytest.mark.django_db(transaction=True)
def test_failures_at_the_same_moment_are_all_counted(run_together):
    done = run_together(*[lambda: failed_log_ins.count("bea", NOW)] * 8)
    assert done == [None] * 8 and FailedLogIns.objects.get().count == 8


# --- admin pages that show people ---------------------------------------------------------------


@mutant(
    "an admin who looks at the list of people is recorded",
    "accounts/admin.py",
    kept_by='        self._record(request, response, lambda context: context["cl"].result_list)\n',
    broken="",
)
@mutant(
    "an admin who looks at one person is recorded",
    "accounts/admin.py",
    kept_by='        self._record(request, response, lambda context: [context["original"]])\n',
    broken="",
)
def test_who_was_shown_to_an_admin_is_recorded_by_number(admin_client, admin_user, alice, bea, carl):
    for address in ("", f"{bea.pk}/change/", f"{bea.pk}/change/", f"{carl.pk}/history/"):
        assert admin_client.get(f"/admin/accounts/user/{address}").status_code == 200
    everybody, one, history = events()
    assert history.details == {"people": [carl.pk]}
    assert everybody.details["people"] == sorted(User.objects.values_list("pk", flat=True))
    assert (one.act, one.details, one.person) == (Act.LOOKED, {"people": [bea.pk]}, admin_user)
    admin_client.get("/admin/accounts/consent/")
    assert events().last().details == {"people": [alice.pk]}


def test_every_admin_page_of_something_that_belongs_to_a_person_records_it():
    """A campaign's owner runs it; its page shows them as a number."""
    silent = [
        model.__name__
        for model, page in admin.site._registry.items()
        if model is not Campaign
        and (model is User or any(field.related_model is User for field in model._meta.fields))
        and not isinstance(page, ShowsPeople)
    ]
    assert silent == []


def test_a_persons_download_says_who_looked_and_names_no_one_else(admin_client, bea, carl):
    admin_client.get("/admin/accounts/user/")
    admin_client.post(f"/admin/accounts/user/{bea.pk}/change/", {"roles": ["reviewer"], "is_active": "on"})
    told = list(personal_data._audit_events(bea))
    assert [(event["act"], event["by"]) for event in told] == [
        ("set-roles", "an admin"),
        ("looked", "an admin"),
    ]
    assert told[0]["details"]["roles_added"] == ["reviewer"] and "details" not in told[1]
    admin_client.get(f"/admin/accounts/user/{carl.pk}/change/")
    admins = personal_data._audit_events(User.objects.get(is_superuser=True))
    assert not [event for event in admins if "people" in event.get("details", {})]


# --- other acts ---------------------------------------------------------------------------------


@mutant(
    "a change of roles is recorded with the roles",
    "accounts/appointing.py",
    kept_by='        "roles_added": sorted(set(after["roles"]) - set(before["roles"])),\n',
    broken="",
)
def test_a_change_of_rights_is_recorded_with_what_changed(admin_client, bea):
    address = f"/admin/accounts/user/{bea.pk}/change/"
    sent = {"roles": ["annotator", "reviewer"], "is_active": "on", "is_staff": "on"}
    admin_client.post(address, sent)
    assert events(Act.SET_ROLES).get().details == {
        "roles_added": ["reviewer"],
        "roles_removed": ["contributor"],
        "changed": {"is_staff": [False, True]},
    }
    admin_client.post(address, sent)
    assert events(Act.SET_ROLES).count() == 1  # nothing changed


@mutant(
    "a new token is recorded",
    "accounts/views.py",
    kept_by="    audit.record(audit.Act.MADE_TOKEN, ",
    broken="    True or audit.record(audit.Act.MADE_TOKEN, ",
)
def test_tokens_are_recorded_when_made_and_revoked(client, bea):
    client.force_login(bea)
    client.post("/profile/tokens/")
    stored = bea.tokens.get()
    client.post(f"/profile/tokens/{stored.digest}/revoke/")
    made, revoked = events()
    assert (made.act, made.person, made.details["scopes"]) == (
        Act.MADE_TOKEN,
        bea,
        ["download", "import", "tag"],
    )
    assert (revoked.act, revoked.person, revoked.details) == (Act.REVOKED_TOKEN, bea, {"number": 1})
    assert stored.prefix not in str(list(events().values()))


CAMPAIGN = {
    "slug": "juniper",
    "kind": "wake-word",
    "language": "en",
    "wake_word": "hey juniper",
    "min_annotations": "2",
    "max_annotations": "7",
    "confidence": "0.9",
    "contributor_cap": "3",
    "control_share": "0.07",
    "takes_part": "everyone",
    "release_audience": "researchers",
    "release_licence": "",
    "translations": "{}",
    "must_hear": "1.0",
    "speech_first": "on",
    "stage": "open",
    "guidelines": "Ask Wilhelmina.",
    "title": "Voices of Ada",
    "purpose": "For Ada.",
}


@mutant(
    "a changed campaign is recorded with old and new values",
    "datasets/admin.py",
    kept_by="        campaigns.record_change(",
    broken="        True or campaigns.record_change(",
)
def test_a_changed_campaign_is_recorded_with_old_and_new_values_and_no_free_text(admin_client, juniper):
    answer = admin_client.post(f"/admin/datasets/campaign/{juniper.pk}/change/", CAMPAIGN)
    assert answer.status_code == 302, answer.content.decode()
    changed = events(Act.CHANGED_CAMPAIGN).get()
    titles = [digest_of(text) for text in ("“hey juniper” in English", "Voices of Ada")]
    assert changed.about == "campaign juniper"
    assert changed.details["changed"] == {
        "contributor_cap": [None, 3],
        "guidelines": [None, digest_of("Ask Wilhelmina.")],
        "title": titles,
        "purpose": [None, digest_of("For Ada.")],
    }
    assert audit.broken_at() is None


def digest_of(text):
    return {"sha256": hashlib.sha256(text.encode()).hexdigest(), "characters": len(text)}


def test_a_new_campaign_and_its_sentences_are_recorded_however_it_is_made(admin_client, tmp_path):
    prompts = tmp_path / "prompts.txt"
    prompts.write_text("what a fine day\n")
    call_command("create_campaign", "sentences", kind="transcription", language="en", prompts=prompts)
    admin_client.post("/admin/datasets/campaign/add/", CAMPAIGN)
    made, added = events(Act.CHANGED_CAMPAIGN)
    assert made.details["changed"]["slug"] == [None, "sentences"]
    assert made.details["changed"]["prompts"][1]["characters"] == 15
    assert added.details["changed"]["confidence"] == [None, 0.9] and added.person.is_superuser


def test_every_field_of_a_campaign_is_among_the_recorded_values(juniper):
    fields = {field.attname for field in Campaign._meta.concrete_fields if field.editable} - {"id"}
    assert set(campaigns.values(juniper)) == fields | {"prompts"}


def test_imports_and_withdrawals_by_command_are_recorded_without_names(juniper, alice, tmp_path):
    folder = tmp_path / "clips"
    folder.mkdir()
    (folder / "one.wav").write_bytes(sounds.in_format("wav", sounds.babble(1, 1.0)))
    (folder / "two.wav").write_bytes(b"no sound")
    reference = {"contributor": "Wilhelmina", "consent_reference": "third drawer", "licence": "MIT"}
    call_command("import_clips", folder, campaign="juniper", **reference)
    call_command("withdraw_import", contributor="Wilhelmina", everybody=True)
    imported, withdrew = events(Act.IMPORTED, Act.WITHDREW_IMPORT)
    assert (imported.about, sum(imported.details["clips"].values())) == ("campaign juniper", 2)
    assert withdrew.details == {"number": 1}
    assert "Wilhelmina" not in str(list(events().values())) and "drawer" not in str(list(events().values()))
